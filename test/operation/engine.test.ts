import { createSchema as schemaOf } from 'graphql-yoga'
import { describe, expect, test } from 'vitest'
import { Document } from '../../src/operation/document.ts'
import { COMPILED_AT } from '../../src/operation/engine.ts'
import { variableErrors } from '../../src/operation/variables.ts'
import { world } from '../support/world.ts'

/** Everything that an executor has to get right, in a schema that does nothing else. */
const schema = schemaOf({
  typeDefs: `
    type Query {
      text: String
      sure: String!
      late: String
      fails: String
      failsLate: String!
      node: Node
      nodes: [Node!]!
      either(kind: String = "A"): Either
      maybe: [Item]
      strict: [Item!]
      nested: Item!
      echo(list: [Int!], input: Box, level: Level = LOW, sure: Int! = 7): String
    }
    interface Node { id: ID! }
    type A implements Node { id: ID! a: Int item: Item! }
    type B implements Node { id: ID! b: [[Float]] }
    union Either = A | B
    type Item { id: ID! name: String other: Item broken: Int! }
    input Box { n: Int = 3, deep: Inner }
    input Inner { n: Int = 4 }
    enum Level { LOW HIGH }
  `,
  resolvers: {
    Query: {
      text: () => 'text',
      sure: () => null,
      late: async () => 'late',
      fails: () => {
        throw new Error('fails')
      },
      failsLate: async () => {
        throw new Error('fails late')
      },
      node: () => ({ __typename: 'A', id: 1, a: 2, item: { id: 'i' } }),
      nodes: async () => [
        { __typename: 'A', id: 1, a: 2, item: { id: 'i', name: 'I' } },
        Promise.resolve({ __typename: 'B', id: 2, b: [[1, null], null] }),
      ],
      either: (_root: unknown, { kind }: { kind: string }) => ({ __typename: kind, id: kind }),
      maybe: () => [
        { id: '0' },
        Promise.reject(new Error('the second')),
        new Promise((resolve) => setImmediate(resolve, { id: '2' })),
        null,
      ],
      strict: () => [{ id: '0' }, Promise.reject(new Error('the second'))],
      nested: () => ({ id: 'n', other: { id: 'o', name: 'O', other: { id: 'p' } } }),
      // The order of arguments is nobody's business; that within an object is: cursors hold it.
      echo: (_root: unknown, args: object) =>
        JSON.stringify(Object.entries(args).toSorted(([a], [b]) => (a < b ? -1 : 1))),
    },
    Item: { broken: () => null },
  },
})

const operations: [query: string, variables?: Record<string, unknown>][] = [
  ['{ text late __typename }'],
  ['{ b: text a: late text }'],
  ['{ text sure }'],
  ['{ text fails }'],
  ['{ text failsLate }'],
  ['{ node { __typename id ... on A { a item { id name } } ... on B { b } } }'],
  ['{ nodes { ...N } } fragment N on Node { id ... on A { a } ... on B { b } }'],
  ['{ either { ... on A { a } ... on B { b } } }'],
  ['query ($k: String) { either(kind: $k) { __typename } }', { k: 'B' }],
  ['query ($k: String) { either(kind: $k) { __typename } }', { k: 'C' }],
  ['{ maybe { id } }'],
  ['{ strict { id } }'],
  ['{ nested { id other { other { broken } } } }'],
  ['{ nested { other { name other { name } } } }'],
  ['query ($y: Boolean!) { text @skip(if: $y) late @include(if: $y) }', { y: true }],
  ['query ($y: Boolean!) { text @skip(if: $y) late @include(if: $y) }', { y: false }],
  ['query ($y: Boolean!) { nested { id ... @include(if: $y) { id name } } }', { y: false }],
  [
    `query ($y: Boolean!, $n: Boolean!) { nested { ...F @include(if: $y) other { ...F @include(if: $n) } } }
     fragment F on Item { id name }`,
    { y: true, n: false },
  ],
  ['{ echo }'],
  ['{ echo(list: [1, 2], input: { deep: { n: 5 } }, level: HIGH) }'],
  ['query ($l: [Int!], $i: Box) { echo(list: $l, input: $i) }', { l: 1, i: { deep: {} } }],
  ['query ($l: [Int!], $i: Box) { echo(list: $l, input: $i) }', {}],
  ['{ echo(input: { deep: { n: 5 }, n: 1 }) }'],
  ['query ($i: Box) { echo(input: $i) }', { i: { deep: { n: 5 }, n: 1 } }],
  ['query ($n: Int) { echo(input: { deep: { n: $n }, n: $n }) }', { n: 2 }],
  ['query ($n: Int) { echo(input: { deep: { n: $n }, n: $n }) }', {}],
  ['query ($n: Int!) { echo(list: [1, $n]) }', { n: 2 }],
  ['query ($n: Int = 9) { echo(input: { n: $n }) }', {}],
  ['query ($l: [Int!]) { echo(list: $l) }', { l: [1, 'two'] }],
  ['query ($s: Int = 1) { echo(sure: $s) }', { s: null }],
  ['query ($s: Int! ) { echo(sure: $s) }', {}],
  ['query ($l: Level) { echo(level: $l) }', { l: 'MIDDLE' }],
]

const limits = {
  depth: 100,
  aliases: 1000,
  directives: 50,
  tokens: 20_000,
  cost: 1_000_000,
  answerBytes: 1_000_000,
}

/** The answers to a document that comes again and again; and after which of them it was compiled. */
async function repeat(query: string, variables: Record<string, unknown> = {}) {
  const document = new Document(query, { schema, limits, introspection: true })
  expect(document.problems()).toEqual([])
  const operation = document.operation(query.includes('query A') ? 'A' : undefined)
  const refused = variableErrors(schema, operation, variables)
  const answers: unknown[] = []
  const compiled: boolean[] = []
  for (let i = 0; i < COMPILED_AT + 2; i++) {
    const answer = refused ?? (await document.run(operation, variables, { refusals: new Map() }))
    compiled.push(document.isCompiled)
    answers.push(JSON.parse(JSON.stringify(answer)))
  }
  return { answers, compiled, refused }
}

test.each(operations)(
  '%s %j is answered the same when it is compiled',
  async (query, variables) => {
    const { answers, compiled, refused } = await repeat(query, variables)
    expect(compiled.slice(0, COMPILED_AT - 1)).not.toContain(true)
    // What is not compiled faithfully never is, and variables that do not fit are refused before.
    const expected = !(query.includes('fragment') && query.includes('@')) && !refused
    expect(new Set(compiled.slice(COMPILED_AT - 1))).toEqual(new Set([expected]))
    for (const answer of answers) expect(answer).toEqual(answers[0])
  },
)

test.each([
  ['several operations', 'query A { text } query B { late }'],
  ['very many fields', `{ ${Array.from({ length: 301 }, (_, i) => `a${i}: text`).join(' ')} }`],
  [
    'very many fields, by fragments',
    `{ nested { ...A0 } } fragment A9 on Item { id } ${Array.from(
      { length: 9 },
      (_, i) =>
        `fragment A${i} on Item { a${i}: other { ...A${i + 1} } b${i}: other { ...A${i + 1} } }`,
    ).join(' ')}`,
  ],
])('a document with %s is not compiled', async (_what, query) => {
  const { compiled } = await repeat(query)
  expect(compiled).not.toContain(true)
})

describe('the gateway', async () => {
  const { gateway, ada } = await world()

  const members =
    'organizations { totalCount edges { cursor roles joinedAt node { name members { pageInfo { endCursor } nodes { roles user'
  test.each([
    ['lists, scalars and counts', `{ viewer { createdAt ${members} { name email } } } } } } } }`],
    ['a field that is not for the caller', `{ viewer { ${members} { name role } } } } } } } }`],
    [
      'an argument that does not fit',
      'query ($n: Int) { viewer { organizations(first: $n) { totalCount } } }',
    ],
    ['a door that is closed', '{ viewer { name } users { totalCount } }'],
    [
      'introspection',
      '{ __schema { types { name fields { name type { name ofType { name } } } } } }',
    ],
  ])('answers %s the same for ever', async (_what, query) => {
    const token = await ada.jwt()
    const ask = async () => {
      const { status, data, errors } = await gateway.graphql(query, {
        token,
        variables: { n: 1000 },
        headers: { 'x-request-id': 'the-same-each-time' },
      })
      return { status, data, errors }
    }
    const first = await ask()
    for (let i = 0; i < COMPILED_AT + 2; i++) expect(await ask()).toEqual(first)
  })

  test('an error says where in the document, compiled or not', async () => {
    const query = '{\r\n  viewer { name }\r  users {\n    totalCount\n  }\n}'
    for (let i = 0; i < COMPILED_AT + 2; i++) {
      const { errors } = await gateway.graphql(query, { token: await ada.jwt() })
      expect(errors).toMatchObject([{ path: ['users'], locations: [{ line: 3, column: 3 }] }])
    }
  })
})
