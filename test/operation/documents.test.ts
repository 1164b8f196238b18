import { buildSchema } from 'graphql'
import { expect, test } from 'vitest'
import { Documents } from '../../src/operation/documents.ts'

function openDocuments(): Documents {
  return new Documents({
    schema: buildSchema('type Query { id: ID }'),
    limits: {
      depth: 12,
      aliases: 100,
      directives: 50,
      tokens: 2000,
      cost: 10_000,
      answerBytes: 1_000_000,
    },
    introspection: true,
  })
}

/** How many of these texts are kept when each comes twice. */
function keptOf(texts: readonly string[]): number {
  const documents = openDocuments()
  const second = texts.map((text) => [documents.find(text), documents.find(text)][1])
  return texts.filter((text, index) => documents.find(text) === second[index]).length
}

const texts = (count: number, length: number) =>
  Array.from({ length: count }, (_, index) => `${index}`.padEnd(length, 'x'))

test('documents are kept by their size together, and long ones not at all', () => {
  expect(keptOf(texts(1, 50_000))).toBe(0)
  expect(keptOf(texts(200, 10_000))).toBeGreaterThan(10)
  expect(keptOf(texts(200, 10_000))).toBeLessThanOrEqual(50)
  expect(keptOf(texts(2000, 10))).toBe(2000)
})

test('a document that came but once is not kept', () => {
  const documents = openDocuments()
  const first = documents.find('{ id }')
  const second = documents.find('{ id }')
  expect(second).not.toBe(first)
  expect(documents.find('{ id }')).toBe(second)
})

test('documents that came but once push out none that is kept', () => {
  const documents = openDocuments()
  documents.find('{ id }')
  const kept = documents.find('{ id }')
  for (const text of texts(1000, 10_000)) documents.find(text)
  expect(documents.find('{ id }')).toBe(kept)
})
