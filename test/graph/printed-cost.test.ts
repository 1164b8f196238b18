import {
  buildSchema,
  type ConstDirectiveNode,
  type FieldNode,
  type GraphQLArgument,
  type GraphQLInputField,
  type GraphQLNamedType,
  type GraphQLSchema,
  getArgumentValues,
  getNamedType,
  getNullableType,
  getOperationAST,
  isInputObjectType,
  isLeafType,
  isListType,
  isObjectType,
  Kind,
  parse,
  type SelectionSetNode,
  validate,
  valueFromASTUntyped,
} from 'graphql'
import { describe, expect, test } from 'vitest'
import { points } from '../../src/domain/points.ts'
import { printGraph } from '../../src/gateway.ts'
import { costOf } from '../../src/operation/cost.ts'
import { shapeOf } from '../../src/operation/shape.ts'
import { documentedBlock } from '../support/documentation.ts'
import { layout } from '../support/layout.ts'

const graph = buildSchema(printGraph(layout))
const plain = buildSchema(printGraph(layout, 'plain', { cost: true }))
const stitching = buildSchema(printGraph(layout, 'stitching', { cost: true }))
/** Its directives are defined by whoever composes it. */
const federation = buildSchema(printGraph(layout, 'federation', { cost: true }), {
  assumeValidSDL: true,
})

interface Asked {
  readonly query: string
  readonly variables?: Readonly<Record<string, unknown>>
}

const hundred = Array.from({ length: 100 }, (_, index) => `id${index}`)
const inOrganization = (fields: string): Asked => ({
  query: `{ organization(id: "a") { ${fields} } }`,
})

const usual: readonly (Asked & { readonly name: string })[] = [
  { name: "the README's first example", query: documentedBlock('members(first: 20)').text },
  { name: 'a person', query: '{ viewer { id name email createdAt accounts { id scopes } } }' },
  {
    name: 'a page of members with its length',
    ...inOrganization(
      'members(first: 100) { totalCount totalCountIsExact pageInfo { endCursor } nodes { id roles user { name } } }',
    ),
  },
  {
    name: 'a page of edges',
    ...inOrganization('members(last: 7) { edges { cursor node { id } } }'),
  },
  { name: 'a page by default', ...inOrganization('teams { nodes { members { nodes { id } } } }') },
  {
    name: 'a search with its length',
    ...inOrganization('members(filter: { search: "a" }) { totalCount nodes { id } }'),
  },
  {
    name: 'filters with their length, in a variable',
    query:
      'query ($f: MemberFilter) { organization(id: "a") { members(filter: $f) { totalCount nodes { id } } } }',
    variables: { f: { roles: ['owner', 'admin'], permission: 'a:b', userIds: ['a'] } },
  },
  {
    name: 'an order by time',
    ...inOrganization(
      'members(orderBy: { field: CREATED_AT, direction: ASC }) { nodes { createdAt } }',
    ),
  },
  {
    name: 'questions about permissions',
    query: `{ can(organizationId: "a", permission: "a:b")
      organization(id: "a") { viewerCan(permission: "a:b") viewerPermissions roles { name permissions } } }`,
  },
  {
    name: 'permissions of each member',
    ...inOrganization('members(first: 9) { nodes { permissions can(permission: "a:b") } }'),
  },
  {
    name: 'as many checks as may be',
    query:
      'query ($c: [PermissionCheckInput!]!) { checkPermissions(checks: $c) { allowed source } }',
    variables: {
      c: ['a:b', 'a:c', 'a:d'].flatMap((permission) =>
        hundred.map((organizationId) => ({ organizationId, permission })),
      ),
    },
  },
  {
    name: 'as many people as may be',
    query: 'query ($ids: [ID!]!) { usersByIds(ids: $ids) { id name } }',
    variables: { ids: hundred },
  },
  {
    name: 'sizes in variables, and fragments',
    query: `query ($n: Int = 3) { viewer { ...Mine } }
      fragment Mine on User { organizations(first: $n) { nodes { ... on Organization { name slug } } } }`,
    variables: { n: 11 },
  },
  { name: 'sessions', query: '{ viewer { sessions { totalCount nodes { id userAgent } } } }' },
]

test.each(usual)('$name costs by the directives what the gateway counts', (asked) => {
  // The gateway rounds the sum up, with what sums of fractions are off by.
  const rounding = counted(asked) - evaluate(plain, asked)
  expect(rounding).toBeGreaterThan(-0.001)
  expect(rounding).toBeLessThan(1.001)
  expect(evaluate(stitching, asked)).toBe(evaluate(plain, asked))
})

test.each(usual)(
  '$name costs no less in the whole numbers of routers, and at most five times as much',
  (asked) => {
    const inRouters = evaluate(federation, asked)
    expect(inRouters).toBeGreaterThanOrEqual(evaluate(plain, asked))
    expect(inRouters).toBeLessThanOrEqual(5 * evaluate(plain, asked))
  },
)

describe('what the directives cannot say:', () => {
  test.each([
    ['a search without its length', 'members(filter: { search: "a" }) { nodes { id } }', +1100],
    ['both forms of a page', 'members(first: 30) { nodes { id } edges { node { id } } }', +30],
    ['a list by fewer keys', '... on Organization { id } } usersByIds(ids: ["a"]) { id', +118.8],
    [
      'a length that is less below one parent',
      '... on Organization { id } } viewer { memberships { totalCount nodes { id } }',
      +35,
    ],
    [
      'an order by name',
      'members(orderBy: { field: USER_NAME, direction: ASC }) { nodes { id } }',
      -250,
    ],
    ['a page without entries', 'members(first: 30) { totalCount }', -30],
    ['names of types', '__typename a: __typename b: __typename c: __typename d: __typename', -1],
  ])('%s', (_, fields, difference) => {
    const asked = inOrganization(fields)
    expect(Math.abs(evaluate(plain, asked) - counted(asked) - difference)).toBeLessThan(1)
  })
})

function counted({ query, variables = {} }: Asked): number {
  const document = parse(query)
  expect(validate(graph, document)).toEqual([])
  const operation = getOperationAST(document)
  if (!operation) throw new Error('No operation.')
  const cost = costOf(graph, shapeOf(document).fragments, operation, variables)
  // Which directives cannot say: it is once for a place in the document, whatever it is selected in.
  return cost.points - points.statement * cost.statements
}

/**
 * Reads the directives as routers do: a field costs its weight and what is selected in it, times the length of its list,
 * and the weights of its arguments once.
 */
function evaluate(schema: GraphQLSchema, { query, variables = {} }: Asked): number {
  const document = parse(query)
  const ofSet = (set: SelectionSetNode, type: GraphQLNamedType, sizes: Sizes): number =>
    set.selections
      .map((selection) => {
        if (selection.kind === Kind.FIELD) return ofField(selection, type, sizes)
        if (selection.kind === Kind.INLINE_FRAGMENT)
          return ofSet(selection.selectionSet, type, sizes)
        const fragment = document.definitions.find(
          (one) => one.kind === Kind.FRAGMENT_DEFINITION && one.name.value === selection.name.value,
        )
        return fragment?.kind === Kind.FRAGMENT_DEFINITION
          ? ofSet(fragment.selectionSet, type, sizes)
          : 0
      })
      .reduce((sum, one) => sum + one, 0)

  const ofField = (node: FieldNode, parent: GraphQLNamedType, sizes: Sizes): number => {
    const field = isObjectType(parent) ? parent.getFields()[node.name.value] : undefined
    if (!field) return 0
    const type = getNamedType(field.type)
    const given = getArgumentValues(field, node, coerced)
    const size = argumentsOf(field.astNode?.directives, 'listSize')
    const { slicingArguments = [], sizedFields, assumedSize } = size ?? {}
    const slices = slicingArguments.map((name) => given[name]).filter((one) => one != null)
    const length = slices.length > 0 ? Math.max(...slices.map(Number)) : assumedSize
    const below: Sizes = Object.fromEntries((sizedFields ?? []).map((name) => [name, length]))
    const isMany = isListType(getNullableType(field.type))
    const times = isMany ? (sizes[field.name] ?? length) : 1
    if (times === undefined) throw new Error(`Nothing says how long ${field.name} is.`)
    const set = node.selectionSet ? ofSet(node.selectionSet, type, below) : 0
    const named = new Set(node.arguments?.map(({ name }) => name.value))
    const ofArguments = field.args
      .filter(({ name }) => named.has(name))
      .map((argument) => ofInput(argument, given[argument.name]))
    return times * (weight(field, type) + set) + ofArguments.reduce((sum, one) => sum + one, 0)
  }

  const operation = getOperationAST(document)
  const root = schema.getQueryType()
  if (!operation || !root) throw new Error('No operation.')
  const coerced = {
    ...Object.fromEntries(
      (operation.variableDefinitions ?? []).flatMap(({ variable, defaultValue }) =>
        defaultValue ? [[variable.name.value, valueFromASTUntyped(defaultValue)]] : [],
      ),
    ),
    ...variables,
  }
  return ofSet(operation.selectionSet, root, {})
}

type Sizes = Readonly<Record<string, number | undefined>>

function ofInput(input: GraphQLArgument | GraphQLInputField, value: unknown): number {
  const type = getNamedType(input.type)
  if (value == null) return 0
  const inside = isInputObjectType(type)
    ? [value]
        .flat()
        .flatMap((one) =>
          Object.values(type.getFields()).map((field) => ofInput(field, Object(one)[field.name])),
        )
    : []
  return weight(input, type) + inside.reduce((sum, one) => sum + one, 0)
}

interface Annotated {
  readonly astNode?:
    | { readonly directives?: readonly ConstDirectiveNode[] | undefined }
    | null
    | undefined
}

/** Without a directive, 1 for objects and 0 for other values. */
function weight({ astNode }: Annotated, type: GraphQLNamedType): number {
  return Number(argumentsOf(astNode?.directives, 'cost')?.weight ?? (isLeafType(type) ? 0 : 1))
}

interface Arguments {
  readonly weight?: string | number
  readonly assumedSize?: number
  readonly slicingArguments?: readonly string[]
  readonly sizedFields?: readonly string[]
}

function argumentsOf(
  directives: readonly ConstDirectiveNode[] | undefined,
  name: 'cost' | 'listSize',
): Arguments | undefined {
  const directive = directives?.find((one) => one.name.value === name)
  return (
    directive &&
    Object.fromEntries(
      (directive.arguments ?? []).map((one) => [one.name.value, valueFromASTUntyped(one.value)]),
    )
  )
}
