import {
  buildSchema,
  execute,
  type GraphQLFieldResolver,
  GraphQLScalarType,
  getIntrospectionQuery,
  getNamedType,
  getNullableType,
  getOperationAST,
  isEnumType,
  isLeafType,
  isListType,
  parse,
} from 'graphql'
import { describe, expect, test } from 'vitest'
import { printGraph } from '../../src/gateway.ts'
import { costOf } from '../../src/operation/cost.ts'
import { shapeOf } from '../../src/operation/shape.ts'
import { layout } from '../support/layout.ts'
import { type Random, randomFrom } from '../support/random.ts'
import { randomDocument } from '../support/random-document.ts'

const schema = buildSchema(printGraph(layout))
for (const type of Object.values(schema.getTypeMap()))
  if (type instanceof GraphQLScalarType) type.serialize = (value) => value

function cost(query: string, variables: Record<string, unknown> = {}, operationName?: string) {
  const document = parse(query)
  const operation = getOperationAST(document, operationName)
  if (!operation) throw new Error('No operation.')
  return costOf(schema, shapeOf(document).fragments, operation, variables).points
}

/** By the weights of points.ts; of a list, 25 for its statement; of a page, 5 for itself, and for each entry 1 to read it, 1 to show it and 0.2 for a leaf. */
describe('the cost is in points, rounded up:', () => {
  test.each([
    ['{ viewer { id name } }', 2],
    ['{ viewer { organizations(first: 5) { nodes { id } } } }', 42],
    ['{ viewer { organizations(last: 5) { edges { node { id } } } } }', 45],
    ['{ viewer { organizations { nodes { id } } } }', 75],
    ['{ viewer { organizations(first: null) { nodes { id } } } }', 75],
    ['{ viewer { organizations(first: 5) { nodes { id } edges { node { id } } } } }', 51],
    ['{ viewer { organizations(first: 5) { totalCount pageInfo { hasNextPage } } } }', 68],
    [
      '{ viewer { organizations(first: 5) { nodes { members(first: 20) { nodes { user { id } } } } } } }',
      411,
    ],
    ['{ a: viewer { id } b: viewer { id } }', 3],
    ['{ viewer { a: name b: name } }', 2],
    ['{ usersByIds(ids: ["a", "b", "c"]) { id } }', 4],
    ['{ usersByIds(ids: ["a", "b"]) { organizations(first: 3) { nodes { id } } } }', 51],
    ['{ viewer { accounts { id } } }', 25],
    ['{ viewer { organizations(first: 0) { nodes { id } } } }', 34],
    ['{ viewer { organizations(first: 1000) { nodes { id } } } }', 251],
    [
      '{ ...A } fragment A on Query { viewer { ...B } } fragment B on User { organizations(first: 7) { nodes { id } } }',
      47,
    ],
    [
      '{ viewer { ... on User { organizations(first: 7) { ...C } } } } fragment C on UserOrganizationConnection { nodes { id } }',
      47,
    ],
    ['{ nothing { id } viewer { nothing { id } } }', 1],
    ['mutation { viewer { id } }', 0],
  ])('%s: %i', (query, expected) => {
    expect(cost(query)).toBe(expected)
  })

  test('a page size and a list may be variables, given or by default', () => {
    const page = 'query ($n: Int = 7) { viewer { organizations(first: $n) { nodes { id } } } }'
    expect(cost(page)).toBe(47)
    expect(cost(page, { n: 9 })).toBe(51)
    expect(cost(page, { n: null })).toBe(75)
    expect(cost(page, { n: 'x' })).toBe(75)
    const list = 'query ($ids: [ID!]! = ["a"]) { usersByIds(ids: $ids) { id } }'
    expect(cost(list)).toBe(2)
    expect(cost(list, { ids: ['a', 'b'] })).toBe(3)
    const checks =
      'query ($c: [PermissionCheckInput!]!) { checkPermissions(checks: $c) { allowed } }'
    expect(cost(checks, { c: [{}, {}, {}] })).toBe(13)
  })

  test('what filters, orders and lengths make PostgreSQL do counts as well, wherever it is written', () => {
    const members = (given: string, rest = 'nodes { id }') =>
      cost(`{ organization(id: "a") { members(first: 1${given}) { ${rest} } } }`)
    const plain = members('')
    expect(plain).toBe(34)
    expect(members(', filter: { search: "a" }')).toBe(plain + 2500)
    expect(members(', filter: { search: null }')).toBe(plain)
    expect(members(', filter: { search: " " }')).toBe(plain)
    expect(members(', filter: { roles: ["a"], permission: "a:b" }')).toBe(plain + 175)
    expect(members(', orderBy: { field: USER_NAME, direction: ASC }')).toBe(plain + 250)
    expect(members(', orderBy: { field: CREATED_AT, direction: ASC }')).toBe(plain)
    expect(members('', 'totalCount')).toBe(7 + 2 * 25 + 40)
    expect(members(', filter: { search: "a" }', 'totalCount')).toBe(7 + 2 * 25 + 2500 + 40 + 1100)
    const query =
      'query ($f: MemberFilter) { organization(id: "a") { members(first: 1, filter: $f) { nodes { id } } } }'
    expect(cost(query, { f: { search: 'a' } })).toBe(plain + 2500)
    expect(cost(query)).toBe(plain)
  })

  test('questions about permissions and cursors weigh more than other leaves', () => {
    const nodes = (leaf: string) =>
      cost(`{ organization(id: "a") { members(first: 10) { nodes { ${leaf} } } } }`)
    expect(nodes('permissions') - nodes('id')).toBe(10 * (3 + 2 - 0.2))
    const edges = (leaf: string) =>
      cost(`{ organization(id: "a") { members(first: 10) { edges { ${leaf} } } } }`)
    expect(edges('cursor') - edges('__typename')).toBe(3)
  })

  test('that of the operation which is asked for', () => {
    const query = 'query A { viewer { id } } query B { viewer { organizations { nodes { id } } } }'
    expect(cost(query, {}, 'A')).toBe(2)
    expect(cost(query, {}, 'B')).toBe(75)
  })

  test('fragments that spread one another are measured once each', () => {
    const chain = Array.from(
      { length: 60 },
      (_, index) =>
        `fragment F${index} on User { organizations(first: 2) { nodes { member(userId: "x") { user { ...F${index + 1} } } } }
        memberships(first: 2) { nodes { user { ...F${index + 1} } } } }`,
    )
    const query = `{ viewer { ...F0 } } ${chain.join(' ')} fragment F60 on User { id }`
    expect(cost(query)).toBeGreaterThan(1e30)
  })

  test('introspection counts what tools get of it', () => {
    const whole = cost(getIntrospectionQuery({ inputValueDeprecation: true }))
    expect(whole).toBeGreaterThan(500)
    expect(whole).toBeLessThan(10_000)
    const nested =
      '{ __schema { types { fields { type { fields { type { fields { name } } } } } } } }'
    expect(cost(nested)).toBeGreaterThan(
      cost('{ __schema { types { fields { type { name } } } } }'),
    )
  })
})

/** Answers as much as can be: every page is full, every list by ids complete, nothing null. */
const everything: GraphQLFieldResolver<{ size?: number } | undefined, unknown> = (
  source,
  args,
  _context,
  { returnType, fieldName },
) => {
  const type = getNamedType(returnType)
  if (type.name.endsWith('Connection')) return { size: args.first ?? args.last ?? 20 }
  const isPage = source?.size !== undefined && (fieldName === 'nodes' || fieldName === 'edges')
  const value = isLeafType(type) ? (isEnumType(type) ? type.getValues()[0]?.value : 0) : {}
  if (!isListType(getNullableType(returnType))) return value
  const length = isPage
    ? source.size
    : (args.ids ?? args.emails ?? args.slugs ?? args.checks)?.length
  return Array.from({ length: length ?? (isLeafType(type) ? 1 : 20) }, () => value)
}

/** Entities in an answer: every object but connections, edges and page information. */
function nodesIn(answer: unknown): number {
  if (Array.isArray(answer)) return answer.reduce((sum, one) => sum + nodesIn(one), 0)
  if (typeof answer !== 'object' || answer === null) return 0
  const own = /(Connection|Edge|^PageInfo|^Query)$/.test(String(Reflect.get(answer, '__typename')))
    ? 0
    : 1
  return Object.values(answer).reduce((sum, one) => sum + nodesIn(one), own)
}

test('no answer has more nodes than its document costs', async () => {
  const seed = Number(process.env.FUZZ_SEED ?? Date.now() % 2 ** 32)
  const random = randomFrom(seed)
  const sizes: Parameters<typeof randomDocument>[2] = (random: Random, type, name) =>
    name === 'first' || name === 'last'
      ? random.between(1, 6)
      : type === 'Int'
        ? 1
        : type === 'Boolean'
          ? true
          : type === 'Float'
            ? 0.5
            : 'a:b'
  let nodes = 0
  for (let run = 0; run < 500; run++) {
    const { query, variables } = randomDocument(random, schema, sizes, { depth: 5 })
    const bound = cost(query, variables)
    if (bound > 20_000) continue
    const { data, errors } = await execute({
      schema,
      document: parse(query),
      variableValues: variables,
      rootValue: {},
      fieldResolver: everything,
    })
    expect(errors, `seed ${seed}: ${query}`).toBeUndefined()
    const found = nodesIn(data)
    nodes += found
    expect(found, `seed ${seed}: ${query} ${JSON.stringify(variables)}`).toBeLessThanOrEqual(bound)
  }
  expect(nodes).toBeGreaterThan(1000)
})
