import { existsSync } from 'node:fs'
import { expect, test } from 'vitest'
import { pageText } from '../support/documentation.ts'

test('the threat model names tests that exist', () => {
  const rows = pageText('docs/threat-model.md').match(/^\| .*\|$/gm) ?? []
  const names = rows
    .slice(1)
    .flatMap((row) => [...(row.split('|')[4] ?? '').matchAll(/`([^`]+)`/g)].map(([, name]) => name))
  expect(names.length).toBeGreaterThan(20)
  const missing = names.filter((name) => {
    const path = new URL(`../${name}`, import.meta.url).pathname
    return (
      ![path, `${path}.test.ts`, `${path}.ts`].some((one) => existsSync(one)) &&
      !name?.endsWith('*')
    )
  })
  expect(missing).toEqual([])
})

test('docs/compatibility.md names tests that exist, and says of every row how it is known', () => {
  const page = pageText('docs/compatibility.md')
  const named = [...page.matchAll(/`(test\/[^`]+)`/g)].map(([, path]) => path ?? '')
  expect(named.length).toBeGreaterThan(20)
  const missing = named.filter((path) => !existsSync(new URL(`../../${path}`, import.meta.url)))
  expect(missing).toEqual([])
  const rows = (page.match(/^\| .* \|$/gm) ?? []).filter((row) => !row.includes('how it is known'))
  expect(rows.length).toBeGreaterThan(50)
  const known = / \| (works, by test: `test|works, by hand|does not, because )[^|]* \|$/
  expect(rows.filter((row) => !known.test(row))).toEqual([])
})
