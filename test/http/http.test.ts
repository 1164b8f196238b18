import { describe, expect, test } from 'vitest'
import { world } from '../support/world.ts'

const { gateway, gatewayWith, ada } = await world({ environment: { LIMIT_BATCH: '3' } })
const authorization = `Bearer ${await ada.jwt()}`

const json = 'application/json'
const response = 'application/graphql-response+json'
const viewer = '{ viewer { name } }'
const known = { data: { viewer: { name: 'Ada' } } }

function send(body: unknown, headers: Readonly<Record<string, string>> = {}) {
  return gateway.fetch(
    new Request('http://gateway/graphql', {
      method: 'POST',
      headers: { 'content-type': json, authorization, ...headers },
      body: typeof body === 'string' ? body : JSON.stringify(body),
    }),
  )
}

function get(query: string, headers: Readonly<Record<string, string>> = {}) {
  const address = `http://gateway/graphql?query=${encodeURIComponent(query)}`
  return gateway.fetch(new Request(address, { headers: { authorization, ...headers } }))
}

test.each([json, response])('queries are answered by POST and by GET as %s', async (accept) => {
  for (const answer of [await send({ query: viewer }, { accept }), await get(viewer, { accept })]) {
    expect(answer.status).toBe(200)
    expect(answer.headers.get('content-type')).toMatch(accept)
    expect(await answer.json()).toEqual(known)
  }
})

test.each([
  ['a document that cannot be parsed', { query: '{' }],
  ['a document that does not fit', { query: '{ nothing }' }],
  ['a mutation', { query: 'mutation { createUser }' }],
])(
  '%s is 400 as application/graphql-response+json and 200 as application/json',
  async (_, body) => {
    expect((await send(body, { accept: response })).status).toBe(400)
    expect((await send(body, { accept: json })).status).toBe(200)
  },
)

test.each([json, response])(
  'a bad credential is 401 as %s, and says how to ask',
  async (accept) => {
    const answer = await send({ query: viewer }, { accept, authorization: 'Bearer nonsense' })
    expect(answer.status).toBe(401)
    expect(answer.headers.get('www-authenticate')).toBe('Bearer error="invalid_token"')
  },
)

describe('several operations in one request', () => {
  test('are answered in their order, each by itself', async () => {
    const answer = await send([{ query: viewer }, { query: '{ nothing }' }, { query: viewer }])
    expect(await answer.json()).toMatchObject([
      known,
      { errors: [{ extensions: { code: 'GRAPHQL_VALIDATION_FAILED' } }] },
      known,
    ])
  })

  test('are refused as a whole beyond LIMIT_BATCH', async () => {
    const answer = await send(Array(4).fill({ query: viewer }))
    expect(answer.status).toBe(413)
    expect(await answer.json()).toMatchObject({
      errors: [
        {
          message: 'A request takes at most 3 operations.',
          extensions: { code: 'LIMIT_EXCEEDED' },
        },
      ],
    })
  })

  test('are ten unless another limit is given', async () => {
    const usual = gatewayWith({})
    const post = (operations: number) =>
      usual.fetch(
        new Request('http://gateway/graphql', {
          method: 'POST',
          headers: { 'content-type': json, authorization },
          body: JSON.stringify(Array(operations).fill({ query: viewer })),
        }),
      )
    expect(await (await post(10)).json()).toEqual(Array(10).fill(known))
    expect((await post(11)).status).toBe(413)
    await usual.close()
  })
})

describe('media types mean the same in capitals:', () => {
  test.each(['Application/JSON', 'APPLICATION/JSON; Charset=UTF-8', 'Application/GraphQL'])(
    'a body of type %s',
    async (type) => {
      const body = /json/i.test(type) ? { query: viewer } : viewer
      const answer = await send(body, { 'content-type': type })
      expect(await answer.json()).toEqual(known)
    },
  )

  test('an answer of type Application/GraphQL-Response+JSON', async () => {
    const accept = 'Application/GraphQL-Response+JSON'
    for (const answer of [await send({ query: '{' }, { accept }), await get('{', { accept })]) {
      expect(answer.status).toBe(400)
      expect(answer.headers.get('content-type')).toMatch(response)
    }
  })

  test('no others', async () => {
    expect((await send({ query: viewer }, { 'content-type': 'Text/Plain' })).status).toBe(415)
  })
})

test.each(['gzip', 'GZIP', 'br', 'deflate'])(
  'a body compressed with %s is 415',
  async (encoding) => {
    const answer = await send({ query: viewer }, { 'content-encoding': encoding })
    expect(answer.status).toBe(415)
    expect(answer.headers.get('accept-encoding')).toBe('identity')
  },
)
