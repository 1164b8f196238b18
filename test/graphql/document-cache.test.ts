import { expect, test } from 'vitest'
import { createDocumentCache } from '../../src/graphql/document-cache.ts'

test('documents are kept by their size together, and long ones not at all', () => {
  const cache = createDocumentCache<object>()
  cache.set('x'.repeat(50_000), {})
  expect(cache.size).toBe(0)
  for (let index = 0; index < 1000; index++) cache.set(`${index}${'x'.repeat(9_990)}`, {})
  expect(cache.size).toBeGreaterThan(10)
  expect(cache.size).toBeLessThanOrEqual(50)
  for (let index = 0; index < 2000; index++) cache.set(`{ a${index} }`, {})
  expect(cache.size).toBeGreaterThan(2000)
})
