import { describe, expect, test } from 'vitest'
import { world } from '../support/world.ts'

const writeTo = 'https://auth.example.com/api/auth'
const { gateway, gatewayWith, ada } = await world({ environment: { BETTER_AUTH_URL: writeTo } })

function post(body: object, headers: Record<string, string> = {}): Promise<Response> {
  return gateway.fetch(
    new Request('http://gateway/graphql', {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify(body),
    }),
  )
}

const refusal = { extensions: { code: 'READ_ONLY', writeTo } }

describe('a mutation is told where to go:', () => {
  test.each([
    ['a field nobody knows', { query: 'mutation { deleteEverything }' }],
    ['a field of Query', { query: 'mutation { viewer { id } }' }],
    ['a named one', { query: 'mutation Rename { renameUser(name: "x") { id } }' }],
    [
      'one with variables',
      {
        query: 'mutation ($name: String!) { renameUser(name: $name) { id } }',
        variables: { name: 'x' },
      },
    ],
    ['one with types nobody knows', { query: 'mutation ($i: Unknown!) { a(i: $i) { ...F } }' }],
    [
      'the one of several operations that is asked for',
      { query: 'query Read { viewer { id } } mutation Write { a }', operationName: 'Write' },
    ],
  ])('%s', async (_what, body) => {
    for (const accept of ['application/json', 'application/graphql-response+json']) {
      const response = await post(body, { accept })
      expect(response.headers.get('content-type')).toContain(accept)
      expect(response.status).toBe(accept === 'application/json' ? 200 : 400)
      const answer = (await response.json()) as { data?: unknown; errors: unknown[] }
      expect(answer.data ?? null).toBeNull()
      expect(answer.errors).toMatchObject([refusal])
    }
  })

  test('from GraphiQL, which asks for other media types', async () => {
    const response = await post(
      { query: 'mutation { a }' },
      { accept: 'application/json, multipart/mixed', 'x-graphiql': '1' },
    )
    expect(await response.json()).toMatchObject({ errors: [refusal] })
    const stream = await post({ query: 'mutation { a }' }, { accept: 'text/event-stream' })
    const text = await stream.text()
    expect(text).toContain('READ_ONLY')
    expect(text).toContain(writeTo)
  })

  test('as a GET, where the method is wrong as well', async () => {
    const query = encodeURIComponent('mutation { a }')
    const response = await gateway.fetch(new Request(`http://gateway/graphql?query=${query}`))
    expect(await response.json()).toMatchObject({ errors: [refusal] })
  })

  test('whoever sends it, with whatever token', async () => {
    for (const token of [await ada.jwt(), 'forged', undefined]) {
      const { errors } = await gateway.graphql('mutation { a }', { token })
      expect(errors).toMatchObject([refusal])
    }
  })
})

test.each([
  ['one of a field nobody knows', 'subscription { x }'],
  ['one of a field of Query', 'subscription { viewer { id } }'],
  ['a named one with variables', 'subscription S($id: ID!) { user(id: $id) { id } }'],
])('a subscription is refused as a mutation is: %s', async (_what, query) => {
  for (const accept of ['application/json', 'application/graphql-response+json']) {
    const response = await post({ query }, { accept, authorization: `Bearer ${await ada.jwt()}` })
    expect(response.status).toBe(accept === 'application/json' ? 200 : 400)
    const answer = (await response.json()) as { data?: unknown; errors: unknown[] }
    expect('data' in answer).toBe(false)
    expect(answer.errors).toMatchObject([
      { message: expect.stringContaining('no subscriptions'), extensions: { code: 'READ_ONLY' } },
    ])
  }
})

test('a query beside a mutation is answered', async () => {
  const response = await post({
    query: 'query Read { viewer { id } } mutation Write { a }',
    operationName: 'Read',
  })
  expect(await response.json()).not.toMatchObject({ errors: [refusal] })
})

test('a mutation that cannot be parsed is a parse error', async () => {
  const { errors } = await gateway.graphql('mutation {')
  expect(errors).toMatchObject([{ extensions: { code: 'GRAPHQL_PARSE_FAILED' } }])
})

test('without BETTER_AUTH_URL the code comes alone, and nobody is told it was our fault', async () => {
  const other = gatewayWith({})
  const { errors } = await other.graphql('mutation { a }')
  expect(errors.map(({ extensions }) => extensions)).toEqual([
    { code: 'READ_ONLY', requestId: expect.any(String) },
  ])
  expect(other.logged.filter((line) => line.includes('unexpected'))).toEqual([])
  await other.close()
})
