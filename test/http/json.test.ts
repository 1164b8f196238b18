import { createServer, type IncomingMessage, request as send } from 'node:http'
import type { AddressInfo } from 'node:net'
import { gzipSync } from 'node:zlib'
import { GraphQLError } from 'graphql'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { close, listen } from '../../src/demo/ports.ts'
import { headOfNode } from '../../src/http/head.ts'
import { createJsonLane } from '../../src/http/json.ts'
import { RequestScope, runIn } from '../../src/scope.ts'
import { world } from '../support/world.ts'

const { gateway, ada } = await world({
  environment: { CORS_ORIGINS: 'https://app.example.com' },
})
const server = createServer((request, response) => gateway.node(request, response))
await listen(server, 0, '127.0.0.1')

afterAll(async () => {
  server.closeAllConnections()
  await close(server)
})

/*
 * Requests to `/graphql` take the lane for plain JSON when they are usual, those to `/graphql?` never do. Everything else
 * being equal, the answers must be.
 */

interface Asked {
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string | Buffer
  /** Without its length in advance. */
  readonly chunked?: boolean
}

interface Answered {
  readonly status: number | undefined
  readonly headers: Readonly<Record<string, unknown>>
  readonly body: string
}

function ask(path: string, asked: Asked, to = server): Promise<Answered> {
  const { port } = to.address() as AddressInfo
  const body = asked.body ?? JSON.stringify({ query: '{ __typename }' })
  const headers = {
    'content-type': 'application/json',
    'x-request-id': 'the-same-in-both-lanes',
    ...(asked.chunked ? {} : { 'content-length': String(Buffer.byteLength(body)) }),
    ...asked.headers,
  }
  return new Promise((resolve, reject) => {
    const options = { port, host: '127.0.0.1', path, method: asked.method ?? 'POST', headers }
    const sent = send(options, async (response: IncomingMessage) => {
      const { date: _date, ...rest } = response.headers
      let text = ''
      for await (const chunk of response.setEncoding('utf8')) text += chunk
      resolve({ status: response.statusCode, headers: rest, body: text })
    })
    sent.on('error', reject)
    if (asked.chunked) sent.write('')
    sent.end(body)
  })
}

const json = (value: unknown) => JSON.stringify(value)
const members =
  '{ viewer { name organizations { nodes { members { nodes { user { name } } } } } } }'
const accepted = [
  '*/*',
  'application/json',
  'application/json, text/plain, */*',
  'application/graphql-response+json',
  'application/graphql-response+json, application/json',
  'application/graphql-response+json,application/json;q=0.9',
  'application/graphql-response+json, application/json;q=0.9',
  'application/json; charset=utf-8',
  'text/event-stream',
  'text/html',
  'multipart/mixed, application/json',
  '',
]

const requests: Record<string, Asked> = {
  'a document': {},
  'variables and a name': {
    body: json({
      query: 'query A { __typename } query B ($i: ID!) { user(id: $i) { id } }',
      operationName: 'B',
      variables: { i: '1' },
    }),
  },
  'a name that is not there': {
    body: json({ query: 'query A { __typename }', operationName: 'B' }),
  },
  'several operations without a name': {
    body: json({ query: 'query A { __typename } query B { __typename }' }),
  },
  'a mutation': { body: json({ query: 'mutation { deleteUser(id: 1) }' }) },
  'a subscription': { body: json({ query: 'subscription { users }' }) },
  'a syntax error': { body: json({ query: '{ viewer { ' }) },
  'an unknown field': { body: json({ query: '{ nothing }' }) },
  'a variable that does not fit': {
    body: json({ query: 'query ($i: ID!) { user(id: $i) { id } }', variables: { i: {} } }),
  },
  'a field that is refused': { body: json({ query: '{ users { totalCount } }' }) },
  'no document': { body: json({}) },
  'a document that is no text': { body: json({ query: 1 }) },
  'variables that are a list': { body: json({ query: '{ __typename }', variables: [] }) },
  'variables that are text': { body: json({ query: '{ __typename }', variables: '{}' }) },
  'extensions that are text': { body: json({ query: '{ __typename }', extensions: '{}' }) },
  'an unknown parameter': { body: json({ query: '{ __typename }', password: 'x' }) },
  'a batch': { body: json([{ query: '{ __typename }' }]) },
  'an empty batch': { body: '[]' },
  null: { body: 'null' },
  'a number': { body: '1' },
  'no JSON': { body: '{' },
  'a byte order mark': { body: `\ufeff${json({ query: '{ __typename }' })}` },
  'bytes that are not UTF-8': {
    body: Buffer.concat([
      Buffer.from('{"query":"{ user(id: \\"'),
      Buffer.from([0xff]),
      Buffer.from('\\") { id } }"}'),
    ]),
  },
  'an emoji': { body: json({ query: '{ a: __typename # 🙂\n }' }) },
  'no body': { body: '' },
  'a body of unknown length': { chunked: true },
  'a body that is too large': { body: json({ query: `{ __typename } # ${'x'.repeat(110_000)}` }) },
  'a body that is just small enough': {
    body: json({ query: `{ __typename } # ${'x'.repeat(102_000)}` }),
  },
  'a bad credential': { headers: { authorization: 'Bearer x.y.z' } },
  'another kind of credential': { headers: { authorization: 'Basic eDp5' } },
  'an allowed origin': { headers: { origin: 'https://app.example.com' } },
  'a foreign origin': { headers: { origin: 'https://evil.example.com' } },
  'an allowed origin and an error': {
    headers: { origin: 'https://app.example.com', authorization: 'Bearer x.y.z' },
  },
  'an origin that asks for headers': {
    headers: { origin: 'https://app.example.com', 'access-control-request-headers': 'x-y' },
  },
  GET: { method: 'GET', body: '' },
  PUT: { method: 'PUT' },
  OPTIONS: { method: 'OPTIONS', headers: { origin: 'https://app.example.com' }, body: '' },
  ...Object.fromEntries(
    [
      'application/json;charset=utf-8',
      'application/json; charset=utf-8',
      'application/json; charset=latin1',
      'APPLICATION/JSON',
      'application/graphql+json',
      'text/plain',
      'application/x-www-form-urlencoded',
      'application/graphql',
    ].map((type) => [`as ${type}`, { headers: { 'content-type': type } }]),
  ),
  ...Object.fromEntries(
    accepted.flatMap((accept) => [
      [`accepting ${accept}`, { headers: { accept } }],
      [
        `accepting ${accept}, with a syntax error`,
        { headers: { accept }, body: json({ query: '{' }) },
      ],
      [`accepting ${accept}, refused`, { headers: { accept, authorization: 'Bearer x.y.z' } }],
      [`accepting ${accept}, without a document`, { headers: { accept }, body: '{}' }],
    ]),
  ),
}

test.each(Object.keys(requests))('both lanes answer %s alike', async (what) => {
  const asked = requests[what] ?? {}
  const [lean, yoga] = [await ask('/graphql', asked), await ask('/graphql?', asked)]
  expect(lean).toEqual(yoga)
})

test.each(
  ['query', 'operationName', 'variables', 'extensions'].flatMap((parameter) =>
    [1, true, [], 'x', {}, { toString: 'x' }, JSON.parse('{ "__proto__": 1 }')]
      .filter(
        (value) =>
          typeof value !== (/s$/.test(parameter) ? 'object' : 'string') || Array.isArray(value),
      )
      .map((value) => [parameter, value] as const),
  ),
)('the parameter %s must be of its type: %j', async (parameter, value) => {
  const asked = { body: json({ query: '{ __typename }', [parameter]: value }) }
  const answered = await ask('/graphql', asked)
  expect(await ask('/graphql?', asked)).toEqual(answered)
  expect(answered.status).toBe(400)
  expect(JSON.parse(answered.body)).toMatchObject({
    errors: [{ message: expect.stringMatching(parameter), extensions: { code: 'BAD_REQUEST' } }],
  })
})

test.each([
  members,
  '{ viewer { name sessions { nodes { id } } role } }',
  '{ viewer { nothing } }',
])('both lanes answer %s of a user alike', async (query) => {
  const headers = { authorization: `Bearer ${await ada.jwt()}` }
  const asked = { headers, body: json({ query }) }
  const [lean, yoga] = [await ask('/graphql', asked), await ask('/graphql?', asked)]
  expect(lean).toEqual(yoga)
  if (query === members) expect(lean.body).toContain('"Bob"')
})

test('a request of either lane is one line in the log', async () => {
  const from = gateway.logged.length
  await ask('/graphql', {})
  await ask('/graphql?', {})
  const lines = gateway.logged.slice(from).map((line) => JSON.parse(line))
  const line = { method: 'POST', path: '/graphql', status: 200, msg: 'request' }
  expect(lines).toMatchObject([line, line])
  expect(Object.keys(lines[0]).toSorted()).toEqual(Object.keys(lines[1]).toSorted())
})

test('whoever goes away before the body has come is forgotten', async () => {
  const { port } = server.address() as AddressInfo
  const headers = { 'content-type': 'application/json', 'content-length': '100' }
  const sent = send({ port, host: '127.0.0.1', path: '/graphql', method: 'POST', headers })
  sent.on('error', () => {})
  await new Promise((resolve) => sent.write('{"query": "', resolve))
  sent.destroy()
  expect((await ask('/graphql', {})).status).toBe(200)
})

test('a compressed body is refused for what it is', async () => {
  const headers = { 'content-encoding': 'gzip' }
  const { status, body } = await ask('/graphql', {
    headers,
    body: gzipSync(json({ query: '{ __typename }' })),
  })
  expect(status).toBe(415)
  expect(body).toContain('A compressed body is not understood.')
  expect((await ask('/graphql', { headers: { 'content-encoding': 'identity' } })).status).toBe(200)
})

describe('of two lanes,', () => {
  let byOther = 0
  const lane = createJsonLane({
    answer: async () => ({ data: { lane: 'json' } }),
    tell: () => ({ errors: [new GraphQLError('told')] }),
    endpoint: '/graphql',
    largestBodyBytes: 1000,
    mostValues: 100,
    events: { takes: () => false, answer: () => {} },
    otherwise: ({ response }) => {
      byOther++
      response.end()
    },
  })
  const lanes = createServer((request, response) => {
    const scope = new RequestScope({
      id: 'a-request',
      method: 'POST',
      path: '/graphql',
      address: 'unknown',
    })
    runIn(scope, () => lane({ request, response, head: headOfNode(request), body: null }))
  })
  beforeAll(() => listen(lanes, 0, '127.0.0.1'))
  afterAll(() => close(lanes))

  test.each([
    ['the usual request takes the short one', {}, 0],
    ['so do those of usual clients', { headers: { accept: accepted[4] ?? '' } }, 0],
    ['a batch takes the other', { body: '[]' }, 1],
    ['so does a body of unknown length', { chunked: true }, 1],
    ['and one of another type', { headers: { 'content-type': 'application/graphql' } }, 1],
    ['and one for server-sent events', { headers: { accept: 'text/event-stream' } }, 1],
    ['and a body that is compressed', { headers: { 'content-encoding': 'gzip' } }, 1],
    ['and one that is too large', { body: json({ query: 'x'.repeat(1000) }) }, 1],
  ] as const)('%s', async (_what, asked, expected) => {
    byOther = 0
    const { body } = await ask('/graphql', asked, lanes)
    expect(byOther).toBe(expected)
    expect(body).toBe(expected === 1 ? '' : '{"data":{"lane":"json"}}')
  })
})
