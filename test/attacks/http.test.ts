import { once } from 'node:events'
import { connect } from 'node:net'
import { afterAll, describe, expect, test } from 'vitest'
import { startServer } from '../../src/http/server.ts'
import { world } from '../support/world.ts'

const { gatewayWith, identity, ada } = await world()
const server = await startServer(
  gatewayWith({
    AUTH_SESSIONS: 'on',
    BETTER_AUTH_SECRET: identity.betterAuth.secret,
    NODE_ENV: 'production',
  }),
  { host: '127.0.0.1', port: 0 },
)
const token = await ada.jwt()
const cookie = `better-auth.session_token=${encodeURIComponent(ada.session)}`

afterAll(() => server.stop())

/** Sends bytes as they are and reads until the server closes the connection, or has answered and is silent. */
async function raw(bytes: string): Promise<string> {
  const socket = connect(Number(new URL(server.url).port), '127.0.0.1')
  let received = ''
  socket.on('data', (text) => {
    received += text.toString('latin1')
  })
  socket.on('error', () => {})
  await once(socket, 'connect')
  socket.write(Buffer.from(bytes, 'latin1'))
  await Promise.race([
    once(socket, 'close'),
    expect.poll(() => received, { timeout: 10_000 }).toMatch(/\r\n\r\n(?:.*\}|$)/s),
  ])
  socket.destroy()
  return received
}

const body = JSON.stringify({ query: '{ viewer { name } }' })

function post(...lines: string[]): string {
  const host = lines.some((line) => /^host:/i.test(line)) ? [] : ['host: gateway']
  return [
    'POST /graphql HTTP/1.1',
    ...host,
    'content-type: application/json',
    `content-length: ${body.length}`,
    ...lines,
    '',
    body,
  ].join('\r\n')
}

const named = '{"data":{"viewer":{"name":"Ada"}}}'
const nobody = '{"data":{"viewer":null}}'

describe('headers that are not what they seem', () => {
  test('the first of two Authorization headers decides', async () => {
    const [good, bad] = [`authorization: Bearer ${token}`, 'authorization: Bearer x']
    expect(await raw(post(good, bad))).toContain(named)
    expect(await raw(post(bad, good))).toMatch(/^HTTP\/1.1 401 /)
  })

  test('a bad Authorization header is not mended by a good cookie', async () => {
    expect(await raw(post(`cookie: ${cookie}`))).toContain(named)
    expect(await raw(post('authorization: Bearer x', `cookie: ${cookie}`))).toMatch(
      /^HTTP\/1.1 401 /,
    )
    expect(await raw(post('authorization:', `cookie: ${cookie}`))).toMatch(/^HTTP\/1.1 401 /)
  })

  test.each([
    ['forged', 'better-auth.session_token=abc.AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA='],
    ['broken', 'better-auth.session_token=%E0%A4%A'],
    ['empty', 'better-auth.session_token='],
    ['under a like name', 'xbetter-auth.session_token=a; better-auth.session_tokens=b'],
    ['many', 'a=b; '.repeat(2000)],
    ['of bytes', '\x80\xff=\xfe; ;;;==;'],
  ])('a cookie that is %s is as good as none', async (_what, value) => {
    expect(await raw(post(`cookie: ${value}`))).toContain(nobody)
  })

  test.each([
    'x-forwarded-for: 127.0.0.1',
    'x-forwarded-host: admin.internal',
    'x-forwarded-proto: gopher',
    'forwarded: for=127.0.0.1;host=admin',
    'x-original-url: /ready',
    'x-rewrite-url: /ready',
    'x-http-method-override: DELETE',
    'x-user-id: root',
    'host: evil.example.com',
    'host: [::1]:80',
    'upgrade: websocket',
    'accept-encoding: gzip;q=nonsense',
    `x-large: ${'x'.repeat(10_000)}`,
  ])('%s changes nothing', async (header) => {
    expect(await raw(post(`authorization: Bearer ${token}`, header.slice(0, 12_000)))).toContain(
      named,
    )
  })
})

describe('what is no request is 4xx at once, without a stack', () => {
  const target = (path: string, host = 'gateway') => `GET ${path} HTTP/1.1\r\nhost: ${host}\r\n\r\n`
  test.each([
    ['a Host that is no name', post('host: a b'), 400],
    ['a Host with a path', post('host: a/../b'), 400],
    ['a Host with a user', post('host: a@b'), 400],
    ['a Host with two ports', post('host: a:b:c'), 400],
    ['a Host with a query', post('host: a?b'), 400],
    ['no Host', 'GET /graphql HTTP/1.1\r\n\r\n', 400],
    ['an absolute target', target('http://evil.example.com/graphql'), 400],
    ['a target without a slash', target('graphql'), 400],
    ['the target *', 'OPTIONS * HTTP/1.1\r\nhost: a\r\n\r\n', 400],
    ['a target of two slashes', target('//evil.example.com/graphql'), 400],
    ['a target that climbs', target('/graphql/../../etc/passwd'), 404],
    ['an encoded target that climbs', target('/%2e%2e/%2e%2e/etc/passwd'), 404],
    ['a target of bytes', target('/\xff\xfe'), 400],
    ['a long target', target(`/${'a'.repeat(20_000)}`), 431],
    ['long headers', post(`x: ${'x'.repeat(20_000)}`), 431],
    ['a header of control characters', post('x: a\x01b'), 400],
    ['a header that is folded', post('x: a\r\n b'), 400],
    ['two lengths', post('content-length: 1'), 400],
    ['a length and chunks', post('transfer-encoding: chunked'), 400],
    [
      'a length that is no number',
      'POST /graphql HTTP/1.1\r\nhost: a\r\ncontent-length: x\r\n\r\n',
      400,
    ],
    ['a negative length', 'POST /graphql HTTP/1.1\r\nhost: a\r\ncontent-length: -1\r\n\r\n', 400],
    [
      'chunks of no size',
      'POST /graphql HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\nZ\r\n',
      400,
    ],
    ['an unknown method', 'HACK /graphql HTTP/1.1\r\nhost: a\r\n\r\n', 400],
    ['another protocol', '\x16\x03\x01\x02\x00\x01\x00', 400],
    ['TRACE', 'TRACE /graphql HTTP/1.1\r\nhost: a\r\n\r\n', 405],
    ['PUT', 'PUT /graphql HTTP/1.1\r\nhost: a\r\ncontent-length: 0\r\n\r\n', 405],
  ])('%s', async (_what, bytes, status) => {
    const answer = await raw(bytes)
    expect(answer).toMatch(new RegExp(`^HTTP/1.1 ${status} `))
    expect(answer).not.toMatch(/node_modules|at .*\.js|file:/)
  })

  test.each([
    ['no JSON', '{"query":', 'application/json', {}],
    ['no JSON but text', 'hello', 'application/json', {}],
    ['JSON of another kind', '7', 'application/json', {}],
    ['null', 'null', 'application/json', {}],
    ['broken UTF-8', '{"query":"\xff\xc0\x80"}', 'application/json', {}],
    ['compressed', '\x1f\x8b\x08\x00', 'application/json', { 'content-encoding': 'gzip' }],
    ['another media type', body, 'application/xml', {}],
    ['a form upload', '--x\r\n\r\n--x--', 'multipart/form-data; boundary=x', {}],
    ['no media type', body, '', {}],
    [
      'a form with broken variables',
      'query={a}&variables={',
      'application/x-www-form-urlencoded',
      {},
    ],
  ])('a body that is %s has a code', async (_what, text, type, headers) => {
    const response = await fetch(`${server.url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': type, ...headers },
      body: Buffer.from(text, 'latin1'),
    })
    expect(response.status).toBeGreaterThanOrEqual(200)
    expect(response.status).toBeLessThan(500)
    const { data, errors } = (await response.json()) as { data?: unknown; errors: object[] }
    expect(data ?? null).toBeNull()
    expect(JSON.stringify(errors)).toMatch(/"code":"(BAD_REQUEST|GRAPHQL_PARSE_FAILED)"/)
  })

  test.each(['variables={', 'variables=7', 'extensions=%00', 'query=%ff', 'query[]=a', ''])(
    'a GET with %j has a code',
    async (search) => {
      const query = search.startsWith('query') ? '' : 'query={__typename}&'
      const response = await fetch(`${server.url}/graphql?${query}${search}`)
      const text = await response.text()
      expect(response.status).toBeLessThan(500)
      if (search !== '') expect(text).toMatch(/"code":"(BAD_REQUEST|GRAPHQL_PARSE_FAILED)"/)
    },
  )
})

test('after all this it answers as before', async () => {
  expect(await raw(post(`authorization: Bearer ${token}`))).toContain(named)
})
