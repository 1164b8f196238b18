import {
  createServer,
  type IncomingMessage,
  type RequestListener,
  type Server,
  type ServerResponse,
} from 'node:http'
import type { AddressInfo } from 'node:net'
import { connect } from 'node:net'
import { text } from 'node:stream/consumers'
import Fastify from 'fastify'
import { afterAll, afterEach, describe, expect, test } from 'vitest'
import { close, listen } from '../../src/demo/ports.ts'
import { createGateway, loadConfig } from '../../src/gateway.ts'
import { Front } from '../../src/http/front.ts'
import { Unsent } from '../../src/http/unsent.ts'
import { createTell } from '../../src/operation/tell.ts'
import { world } from '../support/world.ts'

const { gateway, gatewayWith, environment, ada } = await world()
// Nobody reads its answers for secrets: the page of GraphiQL is too large for that.
const unread = createGateway(loadConfig({ ...environment, LOG_LEVEL: 'silent' }))
afterAll(() => unread.close())
const token = await ada.jwt()
const servers: Server[] = []

afterEach(async () => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections()
    await close(server)
  }
})

async function serve(listener: RequestListener): Promise<string> {
  const server = createServer(listener)
  servers.push(server)
  await listen(server, 0, '127.0.0.1')
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

/** What Express and Nest add to a request of `node:http`. They are imitated here; test/long/hosting.test.ts runs the real ones. */
type Added = IncomingMessage & { body?: unknown; originalUrl?: string; query?: unknown }

/** Reads a body as the parsers of Express and Nest do: to its end, and then calls the next one. */
const parsing =
  (parse: (body: string) => unknown, then: RequestListener = gateway.node) =>
  async (request: Added, response: ServerResponse) => {
    if (request.method === 'POST') request.body = parse(await text(request))
    then(request, response)
  }

const query = '{ viewer { name } }'
const answer = { data: { viewer: { name: 'Ada' } } }

interface Asked {
  readonly body?: string
  readonly headers?: Readonly<Record<string, string>>
}

async function post(
  url: string,
  { body = JSON.stringify({ query }), headers = {} }: Asked = {},
  withToken = true,
) {
  const response = await fetch(url, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      ...(withToken && { authorization: `Bearer ${token}` }),
      ...headers,
    },
    body,
    signal: AbortSignal.timeout(5000),
  })
  return { status: response.status, body: JSON.parse(await response.text()) }
}

/** Those that only Yoga understands. */
const unusual = { accept: 'application/graphql-response+json, */*' }

describe('a body that was read before is taken from the property body:', () => {
  test.each<[string, (body: string) => unknown]>([
    ['an object', JSON.parse],
    ['the text', (body) => body],
    ['a Buffer', (body) => Buffer.from(body)],
    ['bytes', (body) => new TextEncoder().encode(body)],
  ])('%s', async (_what, parse) => {
    const url = `${await serve(parsing(parse))}/graphql`
    for (const headers of [{}, unusual])
      expect(await post(url, { headers })).toEqual({ status: 200, body: answer })
    const batch = JSON.stringify([{ query }, { query }])
    expect((await post(url, { body: batch })).body).toEqual([answer, answer])
  })

  test('the fields of a form', async () => {
    const url = await serve(parsing((body) => Object.fromEntries(new URLSearchParams(body))))
    const headers = { 'content-type': 'application/x-www-form-urlencoded' }
    const form = (fields: Record<string, string>) => String(new URLSearchParams(fields))
    const named = 'query ($id: ID!) { user(id: $id) { name } }'
    const variables = JSON.stringify({ id: ada.id })
    const { body } = await post(`${url}/graphql`, {
      headers,
      body: form({ query: named, variables }),
    })
    expect(body).toEqual({ data: { user: { name: 'Ada' } } })
  })

  test('what is refused of it is refused as it would be without a parser', async () => {
    const url = `${await serve(parsing(JSON.parse))}/graphql`
    expect(await post(url, { body: '7' })).toMatchObject({
      status: 400,
      body: { errors: [{ extensions: { code: 'BAD_REQUEST' } }] },
    })
    const many = JSON.stringify({ query, variables: Array.from({ length: 50_000 }, () => 1) })
    expect((await post(url, { body: many })).status).toBe(413)
  })

  test('a parser that takes any media type for JSON does not make one that browsers send unasked count', async () => {
    const url = `${await serve(parsing(JSON.parse))}/graphql`
    const response = await post(url, {
      headers: { 'content-type': 'text/plain', cookie: `better-auth.session_token=${ada.session}` },
    })
    expect(response.status).toBe(415)
  })
})

test.each([{}, unusual])(
  'a body that was read and is nowhere is refused at once, with what to do: %j',
  async (headers) => {
    const url = await serve(parsing(() => undefined))
    expect(await post(`${url}/graphql`, { headers })).toMatchObject({
      status: 500,
      body: { errors: [{ message: expect.stringContaining('ahead of body parsers') }] },
    })
  },
)

test.each([{}, unusual])(
  'a parser that sets a body without reading one changes nothing: %j',
  async (headers) => {
    const url = await serve((request, response) =>
      gateway.node(Object.assign(request, { body: {}, query: { more: 'x' } }), response),
    )
    expect(await post(`${url}/graphql`, { headers })).toEqual({ status: 200, body: answer })
  },
)

test('a request whose encoding was set before is read as well', async () => {
  const url = await serve((request, response) =>
    gateway.node(request.setEncoding('utf8'), response),
  )
  const named = JSON.stringify({
    query: 'query ($v: ID!) { user(id: $v) { id } }',
    variables: { v: 'ä' },
  })
  expect((await post(`${url}/graphql`, { body: named })).body).toEqual({ data: { user: null } })
})

describe('in Fastify', () => {
  async function serveFastify(handOver: boolean): Promise<string> {
    const app = Fastify()
    app.all('/graphql', (request, reply) => {
      reply.hijack()
      const { raw } = request
      gateway.node(handOver ? Object.assign(raw, { body: request.body }) : raw, reply.raw)
    })
    servers.push(app.server)
    await app.listen({ port: 0, host: '127.0.0.1' })
    return `http://127.0.0.1:${(app.server.address() as AddressInfo).port}/graphql`
  }

  test('with its parsers, a body that is handed over is answered', async () => {
    const url = await serveFastify(true)
    expect((await post(url)).body).toEqual(answer)
    expect((await post(url, { headers: unusual })).body).toEqual(answer)
    expect((await post(url, { body: JSON.stringify([{ query }]) })).body).toEqual([answer])
  })

  test('with its parsers and without the body, the request is refused at once', async () => {
    const url = await serveFastify(false)
    expect((await post(url)).status).toBe(500)
    expect((await fetch(`${url}?query=${encodeURIComponent('{ __typename }')}`)).status).toBe(200)
  })
})

/** Calls a listener as Express does below a path: `url` is what is left, `originalUrl` is the whole. */
const below =
  (path: string, then: RequestListener = gateway.node): RequestListener =>
  (request: Added, response) => {
    const { url = '' } = request
    if (!url.startsWith(path)) return response.writeHead(404).end()
    const rest = url.slice(path.length)
    Object.assign(request, {
      originalUrl: url,
      url: rest.startsWith('/') ? rest : `/${rest}`,
      query: Object.fromEntries(new URL(url, 'http://x').searchParams),
    })
    then(request, response)
  }

const mounts: Readonly<Record<string, readonly [string, RequestListener]>> = {
  'at the root': ['', gateway.node],
  'below a path, which Express cuts off': ['/sub', below('/sub')],
  'at its own path, which Express cuts off': ['', below('/graphql')],
  'at its own path below another': ['/a/b', below('/a/b/graphql')],
  'behind a proxy that leaves a prefix': ['/identity/v1', gateway.node],
  'behind a body parser below a path': ['/sub', below('/sub', parsing(JSON.parse))],
  'by the Fetch API, which is given the whole path': ['/api', byFetch],
}

async function byFetch(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { method = '', headers, url } = request
  const body = method === 'POST' ? { body: await text(request) } : {}
  const asked = new Request(`http://gateway${url}`, {
    method,
    headers: headers as Record<string, string>,
    ...body,
  })
  const answered = await unread.fetch(asked)
  response.writeHead(answered.status, Object.fromEntries(answered.headers))
  response.end(await answered.text())
}

describe.each(Object.entries(mounts))('mounted %s', (_where, [path, listener]) => {
  test('POST, GET and GraphiQL answer', async () => {
    const url = `${await serve(listener)}${path}/graphql`
    for (const headers of [{}, unusual])
      expect(await post(url, { headers })).toEqual({ status: 200, body: answer })
    expect((await post(`${url}?`)).body).toEqual(answer)
    const asked = await fetch(`${url}?query=${encodeURIComponent(query)}`, {
      headers: { authorization: `Bearer ${token}` },
    })
    expect(await asked.json()).toEqual(answer)
    const page = await fetch(url, { headers: { accept: 'text/html' } })
    expect(page.status).toBe(200)
    expect(page.headers.get('content-type')).toMatch('text/html')
    // The page asks where it is itself, so it names no place.
    expect((await page.text()).slice(-2000)).not.toContain('"endpoint"')
  })
})

test('what is below no path of the gateway is 404, wherever it is mounted', async () => {
  const url = await serve(below('/sub'))
  for (const path of ['/graphql/more', '/nothing', '/graphqls'])
    expect((await fetch(`${url}/sub${path}`)).status, path).toBe(404)
})

test('requests are counted wherever the gateway is mounted', async () => {
  const counting = gatewayWith({ RATE_LIMIT_PER_MINUTE: '1' })
  for (const [path, listener] of [
    ['/sub/graphql', below('/sub', counting.node)],
    ['/prefix/graphql', counting.node],
    ['/prefix/graphql/', counting.node],
  ] as const) {
    const url = `${await serve(listener)}${path}`
    await post(url, {}, false)
    expect((await post(url, {}, false)).status, path).toBe(429)
  }
})

describe('past REQUEST_TIMEOUT_MS', () => {
  const quick = gatewayWith({ REQUEST_TIMEOUT_MS: '300' })

  /** A request whose body stops before its end. */
  async function askHalf(path: string): Promise<string> {
    const socket = connect(Number(new URL(await serve(quick.node)).port), '127.0.0.1')
    socket.write(
      `POST ${path} HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{"query":`,
    )
    return text(socket)
  }

  test.each(['/graphql', '/graphql?'])(
    'a body that does not come is answered and its connection closed: %s',
    async (path) => {
      const begun = performance.now()
      const received = await askHalf(path)
      expect(received).toMatch(/^HTTP\/1\.1 408 /)
      expect(received).toMatch(/"code":"TIMEOUT"/)
      expect(performance.now() - begun).toBeLessThan(5000)
    },
  )

  test.each(['/graphql', '/ready'])(
    'what answers nothing although it was told of the deadline is answered: %s',
    async (path) => {
      const front = new Front({
        node: () => {},
        fetch: () => new Promise(() => {}),
        endpoint: '/graphql',
        authzen: null,
        rate: null,
        addressOf: () => 'unknown',
        unsent: new Unsent(),
        forwardedHeader: 'x-forwarded-for',
        corsOrigins: [],
        varyBy: [],
        about: { json: '{}', html: '' },
        resource: null,
        timeoutMs: 300,
        tell: createTell({ suggestions: false, onUnexpected: () => {} }),
        onEnd: () => {},
      })
      const url = `${await serve(front.node)}${path}`
      for (const response of [await fetch(url), await front.fetch(new Request(url))]) {
        expect(response.status).toBe(503)
        expect(await response.json()).toMatchObject({
          errors: [{ extensions: { code: 'TIMEOUT' } }],
        })
      }
    },
  )

  test('so is a body that does not come by the Fetch API', async () => {
    const body = new ReadableStream<Uint8Array>()
    const request = new Request('http://gateway/graphql', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body,
      duplex: 'half',
    } as RequestInit)
    const response = await quick.fetch(request)
    expect(response.status).toBe(503)
    expect(await response.json()).toMatchObject({ errors: [{ extensions: { code: 'TIMEOUT' } }] })
  })
})
