import { describe, expect, test } from 'vitest'
import { matrixWorld } from '../graph/matrix/world.ts'
import { introspection } from './attacks.ts'

const world = await matrixWorld()
const gateway = world.gatewayWith({
  NODE_ENV: 'production',
  AUTH_SESSIONS: 'on',
  BETTER_AUTH_SECRET: world.identity.betterAuth.secret,
  CORS_ORIGINS: 'https://app.example.com',
})
const token = await world.ada.jwt()

interface Told {
  readonly status: number
  readonly headers: Headers
  readonly text: string
  readonly codes: readonly string[]
}

async function ask(init: RequestInit, search = ''): Promise<Told> {
  const response = await gateway.fetch(new Request(`http://gateway/graphql${search}`, init))
  const text = await response.text()
  const codes = [...text.matchAll(/"code":"(\w+)"/g)].map(([, code = '']) => code)
  return { status: response.status, headers: response.headers, text, codes }
}

const post = (value: unknown, headers: Record<string, string> = {}) =>
  ask({
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${token}`, ...headers },
    body: JSON.stringify(value),
  })

const times = (count: number, text: (index: number) => string) =>
  Array.from({ length: count }, (_, index) => text(index)).join(' ')

describe('the checks of graphql-cop, in production:', () => {
  test('alias overloading', async () => {
    const { codes } = await post({ query: `{ ${times(101, (i) => `alias${i}: __typename`)} }` })
    expect(codes).toEqual(['LIMIT_EXCEEDED'])
  })

  test('array-based batching', async () => {
    const { text, codes } = await post(
      Array.from({ length: 20 }, () => ({ query: '{ __typename }' })),
    )
    expect(text).not.toContain('"Query"')
    expect(codes.length).toBeGreaterThan(0)
  })

  test('directive overloading', async () => {
    const { codes } = await post({ query: `{ __typename ${'@aa'.repeat(60)} }` })
    expect(codes).toEqual(['LIMIT_EXCEEDED'])
  })

  test('circular query by introspection', async () => {
    const query =
      '{ __schema { types { fields { type { fields { type { fields { type { fields { type { name } } } } } } } } } } }'
    const { codes } = await post({ query })
    expect(codes.length).toBeGreaterThan(0)
    expect(codes).not.toContain('INTERNAL')
  })

  test('field duplication', async () => {
    const { codes } = await post({ query: `{ ${'__typename '.repeat(500)} }` })
    expect(codes).toEqual(['LIMIT_EXCEEDED'])
  })

  test.each([
    introspection,
    '{ __schema { queryType { name } } }',
    '{ __type(name: "User") { name } }',
  ])('introspection', async (query) => {
    const { text, codes } = await post({ query })
    expect(codes).toContain('GRAPHQL_VALIDATION_FAILED')
    expect(text).not.toMatch(/"data":\{|"User"/)
  })

  test.each(['/graphql', '/graphiql', '/playground', '/console', '/'])(
    'GraphiQL or a playground at %s',
    async (path) => {
      const response = await gateway.fetch(
        new Request(`http://gateway${path}`, { headers: { accept: 'text/html' } }),
      )
      expect(response.headers.get('content-type') ?? '').not.toContain('html')
      expect(await response.text()).not.toMatch(/graphiql|playground|<script/i)
    },
  )

  test.each([
    '{ viewr { id } }',
    '{ __schem { types { name } } }',
    '{ users(frst: 1) { nodes { id } } }',
  ])('field suggestions: %s', async (query) => {
    const { text } = await post({ query })
    expect(text).not.toMatch(/did you mean/i)
  })

  test('trace mode', async () => {
    for (const header of [
      'x-apollo-tracing',
      'apollo-federation-include-trace',
      'x-graphql-debug',
    ]) {
      const { text } = await post(
        { query: '{ __typename }', extensions: { tracing: true, debug: true } },
        { [header]: 'ftv1' },
      )
      expect(JSON.parse(text)).toEqual({ data: { __typename: 'Query' } })
    }
  })

  test('a mutation by GET', async () => {
    const { text, codes } = await ask({}, '?query=mutation%20%7B__typename%7D')
    expect(codes).toEqual(['READ_ONLY'])
    expect(text).not.toContain('"data":{')
  })

  test('a query by GET or by a form, which a foreign site can send, but not read', async () => {
    const cookie = `better-auth.session_token=${encodeURIComponent(world.ada.session)}`
    for (const answer of [
      await ask({ headers: { cookie, origin: 'https://evil.example.com' } }, '?query={viewer{id}}'),
      await ask({
        method: 'POST',
        headers: {
          cookie,
          origin: 'https://evil.example.com',
          'content-type': 'application/x-www-form-urlencoded',
        },
        body: 'query={viewer{id}}',
      }),
    ])
      expect(answer.headers.get('access-control-allow-origin')).toBeNull()
    const allowed = await ask(
      { headers: { cookie, origin: 'https://app.example.com' } },
      '?query={__typename}',
    )
    expect(allowed.headers.get('access-control-allow-origin')).toBe('https://app.example.com')
  })

  test('an unhandled error', async () => {
    for (const query of ['', ' ', '{', 'queryy { a }', '\0', null, 7, [], {}]) {
      const { status, text, codes } = await post({ query })
      expect(status).toBeLessThan(500)
      expect(codes.length).toBeGreaterThan(0)
      expect(text).not.toMatch(/stack|node_modules|\.ts|\.js|INTERNAL/)
    }
  })
})

/** The lines of OWASP's GraphQL cheat sheet that are not tested under their own name elsewhere. */
describe('the GraphQL cheat sheet of OWASP:', () => {
  test('injection: a statement in a value stays a value', async () => {
    const query =
      'query ($v: String!) { userByEmail(email: $v) { id } organizationBySlug(slug: $v) { id } }'
    for (const v of [
      "' or 1=1 --",
      "x'; select pg_sleep(5); --",
      '$(touch /tmp/x)',
      '{"$ne":1}',
      '*)(uid=*',
    ])
      expect(JSON.parse((await post({ query, variables: { v } })).text)).toEqual({
        data: { userByEmail: null, organizationBySlug: null },
      })
  })

  test('input: enums and scalars take nothing else', async () => {
    for (const [type, value] of [
      ['UserOrder', { field: 'PASSWORD', direction: 'ASC' }],
      ['UserFilter', { createdAfter: 'yesterday' }],
      ['UserFilter', { banned: 'no' }],
      ['UserFilter', { password: 'x' }],
    ] as const) {
      const argument = type === 'UserOrder' ? 'orderBy' : 'filter'
      const { codes } = await post({
        query: `query ($v: ${type}!) { users(${argument}: $v) { totalCount } }`,
        variables: { v: value },
      })
      expect(codes).toEqual(['BAD_USER_INPUT'])
    }
  })

  test('amount: pages and lists have a most', async () => {
    const list = Array.from({ length: 101 }, (_, i) => String(i))
    for (const [query, variables] of [
      ['{ viewer { memberships(first: 101) { totalCount } } }', {}],
      ['{ viewer { memberships(first: 0) { totalCount } } }', {}],
      ['{ viewer { memberships(first: 1, last: 1) { totalCount } } }', {}],
      ['query ($l: [ID!]!) { usersByIds(ids: $l) { id } }', { l: list }],
      ['query ($l: [ID!]!) { organizationsByIds(ids: $l) { id } }', { l: list }],
    ] as const)
      expect((await post({ query, variables })).codes).toEqual(['BAD_USER_INPUT'])
  })

  test('enumeration: one that exists and one that does not look the same', async () => {
    const { eve } = world
    const query =
      'query ($id: ID!, $e: String!) { user(id: $id) { id } userByEmail(email: $e) { id } }'
    const known = await post({ query, variables: { id: eve.id, e: eve.email } })
    const unknown = await post({ query, variables: { id: 'nobody', e: 'nobody@example.com' } })
    expect(known.text).toBe(unknown.text)
    expect(known.text).toBe('{"data":{"user":null,"userByEmail":null}}')
  })

  test('brute force by aliases counts each, and passwords cannot be tried at all', async () => {
    const query = `{ ${times(101, (i) => `a${i}: userByEmail(email: "${i}@example.com") { id }`)} }`
    expect((await post({ query })).codes).toEqual(['LIMIT_EXCEEDED'])
    const { codes } = await post({
      query: 'mutation { signIn(email: "a", password: "b") { token } }',
    })
    expect(codes).toEqual(['READ_ONLY'])
  })

  test('errors: a part that fails says its code and nothing of the inside', async () => {
    const { text } = await post({ query: '{ users { nodes { id } } viewer { id } }' })
    const { data, errors } = JSON.parse(text)
    expect(data).toEqual({ users: null, viewer: { id: world.ada.id } })
    expect(Object.keys(errors[0]).sort()).toEqual(['extensions', 'locations', 'message', 'path'])
    expect(errors[0].extensions).toEqual({
      code: 'FORBIDDEN',
      requestId: expect.any(String),
    })
  })
})
