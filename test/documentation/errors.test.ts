import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { pageText } from '../support/documentation.ts'

test('docs/errors.md tells of every code, and of no other', () => {
  const source = readFileSync(new URL('../../src/domain/errors.ts', import.meta.url), 'utf8')
  const codes = [...source.matchAll(/^ {2}\| '([A-Z_]+)'$/gm)].map(([, code]) => code)
  const rows = pageText('docs/errors.md').match(/^\| `.*$/gm) ?? []
  const told = rows.flatMap((row) =>
    [...(row.split('|')[1] ?? '').matchAll(/`([A-Z_]+)`/g)].map(([, code]) => code),
  )
  expect(codes.length).toBeGreaterThan(10)
  expect(told.sort()).toEqual(codes.sort())
})
