import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Serving, startServing } from '../support/cli.ts'
import { type RedisProcess, startRedisProcess } from '../support/redis-process.ts'
import { world } from '../support/world.ts'

const { environment, services, sql, ada, acme } = await world()

interface Span {
  readonly traceId: string
  readonly spanId: string
  readonly parentSpanId?: string
  readonly name: string
  readonly kind: number
  readonly status: { readonly code?: number }
  readonly attributes: Readonly<Record<string, unknown>>
  readonly resource: Readonly<Record<string, unknown>>
  readonly scope: { readonly name: string; readonly version: string }
}

const SERVER = 2
const CLIENT = 3
const FAILED = { code: 2 }

type Pairs = readonly { readonly key: string; readonly value: Record<string, unknown> }[]
const toRecord = (pairs: Pairs) =>
  Object.fromEntries(pairs.map(({ key, value }) => [key, Object.values(value)[0]]))

/** The least of an OpenTelemetry collector: OTLP over HTTP, as JSON. */
const received: Span[] = []
const collector = createServer(async (request, response) => {
  let body = ''
  for await (const chunk of request) body += chunk
  for (const { resource, scopeSpans } of JSON.parse(body).resourceSpans)
    for (const { scope, spans } of scopeSpans)
      for (const span of spans)
        received.push({
          ...span,
          attributes: toRecord(span.attributes),
          resource: toRecord(resource.attributes),
          scope,
        })
  response.writeHead(200, { 'content-type': 'application/json' }).end('{}')
})

let redis: RedisProcess
let serving: Serving

/** As an operator would; also with the variables that the SDK reads. */
async function start(further: Readonly<Record<string, string>> = {}): Promise<Serving> {
  const { port } = collector.address() as AddressInfo
  return startServing({
    NODE_OPTIONS: '--import ./deploy/opentelemetry/tracing.js',
    OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}`,
    OTEL_BSP_SCHEDULE_DELAY: '100',
    OTEL_SERVICE_NAME: 'identity',
    OTEL_RESOURCE_ATTRIBUTES: 'deployment.environment.name=test,service.name=overruled',
    ...environment,
    REDIS_URL: redis.url,
    REDIS_TIMEOUT_MS: '2000',
    ...further,
  })
}

beforeAll(async () => {
  collector.listen(0, '127.0.0.1')
  await once(collector, 'listening')
  redis = await startRedisProcess()
  serving = await start()
})

afterAll(async () => {
  await serving.signal('SIGTERM')
  await redis.kill()
  collector.close()
})

async function post(body: object, headers: Readonly<Record<string, string>> = {}, at = serving) {
  const response = await fetch(`${at.url}/graphql`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      authorization: `Bearer ${await ada.jwt()}`,
      ...headers,
    },
    body: JSON.stringify(body),
  })
  await response.text()
  return response
}

const find = (matches: (span: Span) => boolean) =>
  expect.poll(() => received.find(matches), { timeout: 10_000 })
const traceId = '4bf92f3577b34da6a3ce929d0e0e4736'

test('spans of a request, its SQL and its Redis reach a collector, in the trace of the caller', async () => {
  // What nobody asked for makes no trace: the start has read keys, and a probe reads as much.
  for (const path of ['/ready', '/health', '/']) await fetch(`${serving.url}${path}`)
  const { id } = acme
  const query = `query Secretly { viewer { name organizations(first: 2) { nodes { name } } }
    can(permission: "member:create", organizationId: "${id}") }`
  const response = await post({ query }, { traceparent: `00-${traceId}-00f067aa0ba902b7-01` })
  expect(response.headers.get('x-request-id')).toBe(traceId)
  await find(({ name }) => name === 'POST /graphql').toMatchObject({
    traceId,
    parentSpanId: '00f067aa0ba902b7',
    kind: SERVER,
    resource: { 'service.name': 'identity', 'deployment.environment.name': 'test' },
    scope: { name: 'identity-gateway', version: expect.stringMatching(/^\d/) },
    attributes: {
      'http.request.method': 'POST',
      'http.route': '/graphql',
      'url.path': '/graphql',
      'url.scheme': 'http',
      'server.address': '127.0.0.1',
      'server.port': Number(new URL(serving.url).port),
      'http.response.status_code': 200,
      'graphql.operation.type': 'query',
    },
  })
  const root = received.find(({ name }) => name === 'POST /graphql')
  expect(root?.attributes).not.toHaveProperty('error.type')
  expect(root?.attributes).not.toHaveProperty('graphql.operation.name')

  const within = () => received.filter(({ parentSpanId }) => parentSpanId === root?.spanId)
  const [database] = await sql<{ name: string }>('select current_database() as name')
  const { hostname, port } = new URL(environment.DATABASE_URL ?? '')
  await expect.poll(() => within().map(({ name }) => name)).toContain('SELECT members users')
  expect(within().find(({ name }) => name === 'SELECT members users')).toMatchObject({
    kind: CLIENT,
    status: {},
    attributes: {
      'db.system.name': 'postgresql',
      'db.operation.name': 'SELECT',
      'db.query.summary': 'SELECT members users',
      'db.namespace': database?.name,
      'server.address': hostname,
      'server.port': Number(port),
    },
  })
  await expect.poll(() => within().map(({ name }) => name)).toContain('MGET')
  expect(within().find(({ name }) => name === 'MGET')).toMatchObject({
    kind: CLIENT,
    attributes: { 'db.system.name': 'redis', 'db.operation.name': 'MGET' },
  })
  // Nobody waits for what is written there.
  await expect.poll(() => within().map(({ name }) => name)).toContain('EVAL')
  // One for each statement and round trip, and none for a resolver.
  const others = within().filter(({ name }) => !/^(SELECT( [a-z_]+)+|MGET|EVAL)$/.test(name))
  expect(others).toEqual([])
  expect(received.filter(({ kind, parentSpanId }) => kind !== SERVER && !parentSpanId)).toEqual([])
  const paths = received.flatMap(({ kind, attributes }) =>
    kind === SERVER ? [attributes['url.path']] : [],
  )
  expect(new Set(paths)).toEqual(new Set(['/graphql']))
  const text = JSON.stringify(received)
  for (const secret of ['Secretly', 'Ada', ada.id, id, '$1', 'WHERE'])
    expect(text).not.toContain(secret)
})

test('lines of the log name the span that is recording, whether the client sent a trace or not', async () => {
  await post({ query: '{ viewer { id } }' }, { 'x-request-id': 'answered' })
  // The end of a connection belongs to no request.
  const { hostname, port } = new URL(serving.url)
  const socket = connect(Number(port), hostname)
  socket.write(
    ['POST /graphql HTTP/1.1', 'host: x', 'x-request-id: gone-early', 'content-length: 9']
      .concat('content-type: application/json', 'expect: 100-continue', '\r\n')
      .join('\r\n'),
  )
  await once(socket, 'data')
  socket.destroy()
  for (const [requestId, status] of [
    ['answered', 200],
    ['gone-early', 499],
  ] as const) {
    const line = () =>
      serving.lines.map((text) => JSON.parse(text)).find((line) => line.requestId === requestId)
    await expect.poll(line).toMatchObject({ status })
    await find(({ spanId }) => spanId === line().span_id).toMatchObject({
      traceId: line().trace_id,
      attributes: { 'identity_gateway.request_id': requestId },
    })
  }
  expect(serving.lines.find((text) => text.includes('"listening"'))).not.toContain('trace_id')
})

test('what is not there has no route, and a method that nobody knows no name', async () => {
  await fetch(`${serving.url}/nothing`, { method: 'PROPFIND' })
  await find(({ attributes }) => attributes['url.path'] === '/nothing').toMatchObject({
    name: 'HTTP',
    status: {},
    attributes: { 'http.request.method': '_OTHER', 'http.response.status_code': 404 },
  })
})

test('a key set is fetched in a span, whose failure is told', async () => {
  const { issuer, audience, signer, jwks, jwksUrl } = services
  const claims = { iss: issuer, aud: audience, sub: 'x', exp: Date.now() / 1000 + 60 }
  const token = await signer.sign(claims, { kid: 'unknown' })
  jwks.status = 500
  const ask = async () => {
    await post({ query: '{ viewer { id } }' }, { authorization: `Bearer ${token}` })
    return received.find(({ name }) => name === 'GET')
  }
  // Not more often than once a second.
  await expect.poll(ask, { timeout: 10_000, interval: 300 }).toMatchObject({
    kind: CLIENT,
    parentSpanId: expect.any(String),
    status: FAILED,
    attributes: {
      'http.request.method': 'GET',
      'http.response.status_code': 500,
      'url.full': jwksUrl,
      'server.address': '127.0.0.1',
      'server.port': Number(new URL(jwksUrl).port),
      'error.type': '500',
    },
  })
  jwks.status = 200
})

test('operations of trusted documents are named, and errors on our side have a type', async () => {
  const file = join(await mkdtemp(join(tmpdir(), 'documents-')), 'documents.json')
  await writeFile(file, JSON.stringify({ a1: 'query Mine { viewer { name } }' }))
  const away = await start({
    TRUSTED_DOCUMENTS_FILE: file,
    DATABASE_URL: 'postgresql://nobody@127.0.0.1:1/nothing',
  })
  await post({ documentId: 'a1' }, {}, away)
  await find(({ attributes }) => attributes['graphql.operation.name'] === 'Mine').toMatchObject({
    name: 'POST /graphql',
    status: FAILED,
    attributes: { 'http.response.status_code': 503, 'error.type': '503' },
  })
  expect(await away.signal('SIGTERM')).toBe(0)
  await rm(dirname(file), { recursive: true })
})
