import {
  buildSchema,
  type GraphQLArgument,
  type GraphQLInputField,
  type GraphQLObjectType,
  getNamedType,
  isInputObjectType,
  isListType,
  isNonNullType,
  isObjectType,
} from 'graphql'
import { describe, expect, test } from 'vitest'
import { printGraph } from '../../src/gateway.ts'
import { matrixWorld } from '../graph/matrix/world.ts'
import { hostileTexts } from '../support/hostile-values.ts'
import { layout } from '../support/layout.ts'

const world = await matrixWorld()
const { gateway } = world

const scopes = 'identity:read identity:pii permissions:check'
const themself = { id: world.ada.id }
const key = await world.keyOf({ of: 'an organization', scopes })
/** Of a user, a service, an app and an organization, with whom `viewer` is then. */
const credentials = [
  [themself, { token: await world.ada.jwt() }],
  [null, { token: await world.services.token() }],
  [themself, { token: await world.tokenOf({ of: 'themself', scopes }) }],
  [null, { headers: { 'x-api-key': key } }],
] as const

/** One place of the graph that takes text from the client. */
interface Place {
  readonly name: string
  /** The document around the field, with ‹› where it stands. */
  readonly around: string
  /** The field with this text, as a literal. */
  readonly field: (literal: string) => string
}

const schema = buildSchema(printGraph(layout))

/** Every argument and input field of text, wherever in the graph, reached by the shortest way. */
function findPlaces(): Place[] {
  const places: Place[] = []
  const seen = new Set<string>()
  const queue: (readonly [GraphQLObjectType, string])[] = []
  const root = schema.getQueryType()
  if (root) queue.push([root, '{ ‹› }'])
  for (let next = queue.shift(); next; next = queue.shift()) {
    const [type, around] = next
    if (seen.has(type.name)) continue
    seen.add(type.name)
    for (const { name, args, type: answer } of Object.values(type.getFields())) {
      const below = getNamedType(answer)
      const selected = isObjectType(below) ? ' { __typename }' : ''
      const required = (except?: GraphQLArgument) =>
        args
          .filter((arg) => arg !== except && (isNonNullType(arg.type) || arg.name === 'first'))
          .map((arg) => `${arg.name}: ${honest(arg)}`)
      for (const arg of args)
        for (const [path, write] of textsIn(arg))
          places.push({
            name: `${type.name}.${name}(${path})`,
            around,
            field: (literal) =>
              `${name}(${[...required(arg), `${arg.name}: ${write(literal)}`].join(', ')})${selected}`,
          })
      const given = required().length === 0 ? '' : `(${required().join(', ')})`
      if (isObjectType(below)) queue.push([below, around.replace('‹›', `${name}${given} { ‹› }`)])
    }
  }
  return places
}

type Input = GraphQLArgument | GraphQLInputField

function textsIn({ name, type }: Input): (readonly [string, (literal: string) => string])[] {
  const named = getNamedType(type)
  const isList = isListType(isNonNullType(type) ? type.ofType : type)
  const wrap = (text: string) => (isList ? `[${text}]` : text)
  if (named.name === 'String' || named.name === 'ID') return [[name, wrap]]
  if (!isInputObjectType(named)) return []
  const fields = Object.values(named.getFields())
  return fields.flatMap((field) =>
    textsIn(field).map(([path, write]) => {
      const others = fields
        .filter((other) => other !== field && isNonNullType(other.type))
        .map((other) => `${other.name}: ${honest(other)}`)
      return [
        `${name}.${path}`,
        (literal: string) =>
          wrap(`{ ${[...others, `${field.name}: ${write(literal)}`].join(', ')} }`),
      ] as const
    }),
  )
}

function honest({ name, type }: Input): string {
  const named = getNamedType(type).name
  if (named === 'Int') return '1'
  if (named === 'Permission') return '"leave:approve"'
  if (named === 'PermissionCheckInput') return '[]'
  if (named === 'Consistency') return 'CACHED'
  return name.endsWith('s') ? '["ACME"]' : '"ACME"'
}

/** GraphQL's string literals know no NUL and no half characters; JSON's escapes say the same. */
const literalOf = (text: string) => JSON.stringify(text)

describe('hostile text is answered with data or a code, and harms nothing beside it:', () => {
  const places = findPlaces()
  expect(places.length).toBeGreaterThan(30)

  const texts = hostileTexts.filter(
    (text) => text.length < 1000 && !/[\ud800-\udfff]/.test(text.replaceAll('💥', '')),
  )

  test.each(places)('$name', async ({ name, around, field }) => {
    for (const some of name.includes('search') ? inChunks(texts, MOST_SEARCHES) : [texts]) {
      const fields = some.map((text, index) => `a${index}: ${field(literalOf(text))}`).join(' ')
      const query = `{ control: viewer { id } ${around
        .replace('‹›', fields)
        .replaceAll('ACME', world.acme.id)
        .slice(1)}`
      for (const [viewer, credential] of credentials) {
        const { status, data, errors } = await gateway.graphql(query, credential)
        expect(status).toBe(200)
        expect(data.control).toEqual(viewer)
        for (const { extensions, message } of errors) {
          expect(['BAD_USER_INPUT', 'FORBIDDEN', 'UNAUTHENTICATED'], message).toContain(
            extensions.code,
          )
        }
      }
    }
  })
})

/** Of one request, for what it may cost. */
const MOST_SEARCHES = 3

function inChunks<Entry>(entries: readonly Entry[], size: number): readonly Entry[][] {
  return Array.from({ length: Math.ceil(entries.length / size) }, (_, index) =>
    entries.slice(index * size, (index + 1) * size),
  )
}

test('cursors that are changed, foreign or endless are BAD_USER_INPUT', async () => {
  const token = await world.ada.jwt()
  const list = (cursor: string) =>
    gateway.graphql(
      'query ($c: String) { viewer { memberships(first: 1, after: $c) { pageInfo { endCursor } } sessions(first: 1) { pageInfo { endCursor } } } }',
      { token, variables: { c: cursor } },
    )
  const { data } = await gateway.graphql(
    '{ viewer { memberships(first: 1) { pageInfo { endCursor } } sessions(first: 1) { pageInfo { endCursor } } } }',
    { token },
  )
  const good: string = data.viewer.memberships.pageInfo.endCursor
  expect((await list(good)).errors).toEqual([])
  const [version, list_, value, id] = JSON.parse(Buffer.from(good, 'base64url').toString())
  const forged = (...parts: unknown[]) => Buffer.from(JSON.stringify(parts)).toString('base64url')
  const bad = [
    data.viewer.sessions.pageInfo.endCursor,
    forged(version, 'AAAAAAAAAAAA', value, id),
    forged(version + 1, list_, value, id),
    forged(version, list_, "' or '1'='1", id),
    forged(version, list_, value, `${id}\0`),
    forged(version, list_, value, { $gt: '' }),
    forged(version, list_, '0000-01-01T00:00:00.000000Z', id),
    forged(version, list_, '2026-02-30T00:00:00.000000Z', id),
    forged(),
    forged(null),
    good.slice(0, -4),
    `${good.slice(0, 4)}!${good.slice(5)}`,
    'A'.repeat(50_000),
    Buffer.from('['.repeat(10_000)).toString('base64url'),
    '',
    '\0',
  ]
  for (const cursor of bad) {
    const { errors } = await list(cursor)
    expect(errors, cursor.slice(0, 100)).toMatchObject([{ extensions: { code: 'BAD_USER_INPUT' } }])
  }
})

test('nothing that was sent came into the tables or into the log', async () => {
  const tables = await world.sql('select id from users')
  expect(tables.length).toBeGreaterThan(5)
  expect(gateway.logged.join('\n')).not.toMatch(/drop table|pg_sleep|etc\/passwd/)
})
