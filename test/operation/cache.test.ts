import { expect, test } from 'vitest'
import { createDocumentCache } from '../../src/operation/cache.ts'

/** How many of these texts are kept when each comes twice. */
function keptOf(texts: readonly string[]): number {
  const cache = createDocumentCache<object>()
  for (const text of texts) for (const _time of [1, 2]) cache.set(text, {})
  return texts.filter((text) => cache.get(text)).length
}

const texts = (count: number, length: number) =>
  Array.from({ length: count }, (_, index) => `${index}`.padEnd(length, 'x'))

test('documents are kept by their size together, and long ones not at all', () => {
  expect(keptOf(texts(1, 50_000))).toBe(0)
  expect(keptOf(texts(1000, 10_000))).toBeGreaterThan(10)
  expect(keptOf(texts(1000, 10_000))).toBeLessThanOrEqual(50)
  expect(keptOf(texts(2000, 10))).toBe(2000)
})

test('a document that came but once is not kept', () => {
  const cache = createDocumentCache<object>()
  const document = {}
  cache.set('{ id }', document)
  expect(cache.get('{ id }')).toBeUndefined()
  cache.set('{ id }', document)
  expect(cache.get('{ id }')).toBe(document)
})
