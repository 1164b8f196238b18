import {
  type GraphQLArgument,
  type GraphQLField,
  type GraphQLInputType,
  type GraphQLObjectType,
  getNamedType,
  getNullableType,
  isEnumType,
  isInputObjectType,
  isIntrospectionType,
  isLeafType,
  isListType,
  isNonNullType,
  isObjectType,
  isRequiredArgument,
  isRequiredInputField,
} from 'graphql'
import { describe, expect, test } from 'vitest'
import { loadNames, readLayout } from '../../src/gateway.ts'
import { createSubgraph } from '../../src/graph/schema.ts'
import { featuresOf } from '../../src/layout/features.ts'
import type { GraphQLAnswer } from '../support/gateway.ts'
import { hostileTexts } from '../support/hostile-values.ts'
import { argumentsOf, type Route, routesOf } from './matrix/routes.ts'
import { type Caller, matrixWorld } from './matrix/world.ts'

/*
 * What is null, and when: docs/graph.md. A refusal costs its own field and no more; that this holds of doors and of fields
 * that are not for a caller is asked in matrix.test.ts, which reads all of them at once.
 */

const matrix = await matrixWorld({ FEDERATION: 'on', LIMIT_COST: '1000000' })
const schema = createSubgraph(featuresOf(readLayout(loadNames(matrix.environment))), {
  prefix: '',
  mostReferences: 1000,
})
const fields = Object.values(schema.getTypeMap())
  .filter(isObjectType)
  .filter((type) => !isIntrospectionType(type))
  .flatMap((parent) =>
    Object.values(parent.getFields()).map((field) => ({
      place: `${parent.name}.${field.name}`,
      parent,
      field,
    })),
  )

describe('a field that is never null', () => {
  /** As the specification of Apollo Federation has them: refused are the entries of the one, and nobody at the other. */
  const federated = ['Query._entities', 'Query._service']
  /** Behind a key that each of these has in its row, and usually read with it. */
  const ends = [
    'Member.organization',
    'Member.user',
    'Team.organization',
    'TeamMember.team',
    'TeamMember.user',
  ]
  /** Made together with what they are a part of, so that none can fail alone. */
  const made = ['PermissionExplanation.decision', 'PermissionExplanation.roles']
  const page = /(Connection\.(edges|nodes|pageInfo)|Edge\.node)$/
  const sure = fields.filter(({ field }) => isNonNullType(field.type))

  test('takes no arguments, and is no door', () => {
    const refusable = sure.filter(
      ({ parent, field }) => field.args.length > 0 || parent === schema.getQueryType(),
    )
    expect(refusable.map(({ place }) => place).toSorted()).toEqual(federated)
  })

  test('is a part of a page, one of the ends that such a thing always has, or a value', () => {
    const things = sure.filter(({ field }) => !isLeafType(getNamedType(field.type)))
    expect(
      things
        .map(({ place }) => place)
        .filter((place) => !page.test(place))
        .toSorted(),
    ).toEqual([...ends, ...federated, ...made].toSorted())
  })

  test('of a value is read from what it is a field of, and asks nobody', () => {
    for (const { place, field } of sure) {
      if (!isLeafType(getNamedType(field.type))) continue
      const read = () => field.resolve?.(anything, {}, untouchable, {} as never)
      expect(read, place).not.toThrow()
      expect(read(), place).not.toBeInstanceOf(Promise)
    }
  })
})

/** Has every property, each of which is the same; it cannot be called. */
const anything: object = new Proxy(
  {},
  {
    get: (_, name) => (name === 'then' || typeof name === 'symbol' ? undefined : anything),
  },
)

const untouchable: object = new Proxy(
  {},
  {
    get: (_, name) => {
      throw new Error(`${String(name)} is read.`)
    },
  },
)

// What is refused to those who subscribe is asked in test/changes.
const refusing = fields.filter(
  ({ parent, field }) => field.args.length > 0 && parent !== schema.getSubscriptionType(),
)

test('something is asked of every field with arguments', () => {
  expect(refusing.filter(({ place }) => !routesOf(matrix)[place.split('.', 1)[0] ?? ''])).toEqual(
    [],
  )
})

describe.each(refusing)('what $place refuses', ({ place, parent, field }) => {
  test('leaves its parent standing, and what is beside it', async () => {
    const { route, token } = await routeTo(parent)
    const asked = hostileCalls(place, field, await foreignCursor())
    const answers = await Promise.all(
      asked.map(async ({ declared, call, variables }) => {
        const selected = isLeafType(getNamedType(field.type)) ? '' : '{ __typename }'
        const text = `${declared} ${nest(route, `beside: __typename refused: ${call} ${selected}`)}`
        return {
          call,
          variables,
          answer: await matrix.gateway.graphql(text, { token, variables }),
        }
      }),
    )
    for (const { call, variables, answer } of answers)
      expect(fallen(answer, route), `${call} ${JSON.stringify(variables)}`).toEqual([])
    // Else nothing was proved.
    const codes = answers.flatMap(({ answer }) =>
      answer.data ? answer.errors.map(({ extensions }) => extensions.code) : [],
    )
    expect([place, codes.length > 0]).toEqual([place, !harmless.includes(place)])
  })
})

/** Whose arguments are all of types that take no value to be refused: such a value is an error of the request. */
const harmless = [
  'Member.can',
  'Member.permissions',
  'Organization.viewerCan',
  'Organization.viewerPermissions',
]

const refusals = ['BAD_USER_INPUT', 'FORBIDDEN', 'UNAUTHENTICATED']

/** What an answer lost beside the field that was asked; nothing of a request that was refused as a whole. */
function fallen({ data, errors }: GraphQLAnswer, route: Route): unknown[] {
  if (data === undefined)
    return errors.filter(({ extensions }) => extensions.code !== 'BAD_USER_INPUT')
  let parent = data
  for (const step of route.filter((step) => !step.startsWith('...'))) {
    parent = parent?.[step.split('(', 1)[0] ?? step]
    if (Array.isArray(parent)) parent = parent[0]
  }
  const elsewhere = errors.filter(
    ({ path, extensions }) => !path?.includes('refused') || !refusals.includes(extensions.code),
  )
  return parent?.beside ? elsewhere : [{ parent }, ...elsewhere]
}

/** The route of the matrix to a type, with somebody who gets there. */
async function routeTo({ name }: GraphQLObjectType) {
  const route = routesOf(matrix)[name] ?? []
  for (const caller of among) {
    const token = await matrix.tokens[caller]()
    const answer = await matrix.gateway.graphql(nest(route, 'beside: __typename'), { token })
    if (JSON.stringify(answer.data ?? null).includes('"beside"')) return { route, token }
  }
  throw new Error(`Nobody gets to ${name}.`)
}

const among: readonly Caller[] = [
  'themself',
  'a platform admin',
  'identity:read identity:pii permissions:check',
]

function nest(route: Route, selection: string): string {
  return route.reduceRight((inner, step) => `{ ${step} ${inner} }`, `{ ${selection} }`)
}

/** Of a list that is no other's. */
async function foreignCursor(): Promise<string> {
  const { data } = await matrix.gateway.graphql(
    `{ organization(id: "${matrix.evil.id}") { members { edges { cursor } } } }`,
    { token: await matrix.tokens['identity:read']() },
  )
  return data.organization.members.edges[0].cursor
}

/** The field with each of its arguments in turn set to each value that may be refused, the others as the matrix asks. */
function hostileCalls(place: string, field: GraphQLField<unknown, unknown>, cursor: string) {
  const usual = new Map(
    [...(argumentsOf(matrix)[place]?.slice(1, -1) ?? '').matchAll(/(\w+): ("[^"]*"|\[.*\])/g)].map(
      ([, name = '', value = '']) => [name, value],
    ),
  )
  const one = (argument: GraphQLArgument, value: unknown) => {
    const others = [...usual]
      .filter(([name]) => name !== argument.name)
      .map(([name, given]) => `${name}: ${given}`)
    const missing = field.args.filter(
      (other) => isRequiredArgument(other) && other !== argument && !usual.has(other.name),
    )
    if (missing.length > 0)
      throw new Error(`Teach the matrix the argument ${missing[0]?.name} of ${place}.`)
    return {
      declared: `query ($value: ${argument.type})`,
      call: `${field.name}(${[...others, `${argument.name}: $value`].join(', ')})`,
      variables: { value },
    }
  }
  const both = {
    declared: '',
    call: `${field.name}(${[...usual].map(([name, value]) => `${name}: ${value},`).join(' ')} first: 1, last: 1)`,
    variables: {},
  }
  return [
    ...field.args.flatMap((argument) =>
      hostile(argument.type, cursor).map((value) => one(argument, value)),
    ),
    ...(field.args.some(({ name }) => name === 'last') ? [both] : []),
  ]
}

function hostile(given: GraphQLInputType, cursor: string): readonly unknown[] {
  const type = getNullableType(given)
  if (isListType(type)) {
    const entries = hostile(type.ofType, cursor)
    const [some] = entries.filter((entry) => entry !== null)
    return [...entries.map((entry) => [entry]), [], Array.from({ length: 101 }, () => some)]
  }
  if (isInputObjectType(type)) {
    const inputs = Object.values(type.getFields())
    const required = Object.fromEntries(
      inputs.filter(isRequiredInputField).map((input) => [input.name, usualOf(input.type)]),
    )
    return inputs.flatMap((input) =>
      hostile(input.type, cursor).map((value) => ({ ...required, [input.name]: value })),
    )
  }
  if (isEnumType(type)) return type.getValues().map(({ name }) => name)
  if (type.name === 'Int') return [0, -1, 101, 500, 2 ** 31 - 1, 2 ** 31, 0.5]
  if (type.name === '_Any') return hostileTexts.map((id) => ({ __typename: 'User', id }))
  return [...hostileTexts, cursor]
}

function usualOf(given: GraphQLInputType): unknown {
  const type = getNullableType(given)
  if (isEnumType(type)) return type.getValues()[0]?.name
  return getNamedType(type).name === 'Permission' ? 'leave:request' : 'x'
}
