import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Serving, startServing } from '../support/cli.ts'
import { type RedisProcess, startRedisProcess } from '../support/redis-process.ts'
import { world } from '../support/world.ts'

const { environment, ada, acme } = await world()

interface Span {
  readonly traceId: string
  readonly spanId: string
  readonly parentSpanId?: string
  readonly name: string
  readonly attributes: readonly { readonly key: string; readonly value: Record<string, unknown> }[]
}

/** The least of an OpenTelemetry collector: OTLP over HTTP, as JSON. */
const received: Span[] = []
const collector = createServer(async (request, response) => {
  let body = ''
  for await (const chunk of request) body += chunk
  for (const { scopeSpans } of JSON.parse(body).resourceSpans)
    for (const { spans } of scopeSpans) received.push(...spans)
  response.writeHead(200, { 'content-type': 'application/json' }).end('{}')
})

let redis: RedisProcess
let serving: Serving

beforeAll(async () => {
  collector.listen(0, '127.0.0.1')
  await once(collector, 'listening')
  redis = await startRedisProcess()
  serving = await startServing({
    NODE_OPTIONS: '--import ./test/support/tracing.js',
    OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${(collector.address() as AddressInfo).port}`,
    ...environment,
    REDIS_URL: redis.url,
    REDIS_TIMEOUT_MS: '2000',
  })
})

afterAll(async () => {
  await serving.signal('SIGTERM')
  await redis.kill()
  collector.close()
})

test('spans of a request, its SQL and its Redis reach a collector, in the trace of the caller', async () => {
  const { id } = acme
  const traceId = '4bf92f3577b34da6a3ce929d0e0e4736'
  const response = await fetch(`${serving.url}/graphql`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      authorization: `Bearer ${await ada.jwt()}`,
      traceparent: `00-${traceId}-00f067aa0ba902b7-01`,
    },
    body: JSON.stringify({
      query: `query Secretly { viewer { name organizations(first: 2) { nodes { name } } }
        can(permission: "member:create", organizationId: "${id}") }`,
    }),
  })
  expect(response.headers.get('x-request-id')).toBe(traceId)
  expect((await response.json()).errors).toBeUndefined()
  await expect
    .poll(() => received.find(({ name }) => name === 'POST'), { timeout: 10_000 })
    .toMatchObject({ traceId, parentSpanId: '00f067aa0ba902b7' })
  const root = received.find(({ name }) => name === 'POST')
  expect(attributesOf(root)).toMatchObject({
    'url.path': '/graphql',
    'http.response.status_code': { intValue: 200 },
    'graphql.operation.type': 'query',
  })
  await expect.poll(() => received.map(({ name }) => name)).toContain('SELECT')
  const within = received.filter(({ parentSpanId }) => parentSpanId === root?.spanId)
  const names = new Set(within.map(({ name }) => name))
  expect([...names].sort()).toEqual(expect.arrayContaining(['SELECT', 'reads']))
  // One for each statement and round trip, and none for a resolver.
  expect([...names].filter((name) => !['SELECT', 'reads', 'writes'].includes(name))).toEqual([])
  const text = JSON.stringify(received)
  for (const secret of ['Secretly', 'Ada', ada.id, id, 'select '])
    expect(text).not.toContain(secret)
})

function attributesOf(span: Span | undefined): Record<string, unknown> {
  return Object.fromEntries(
    (span?.attributes ?? []).map(({ key, value }) => [key, value.stringValue ?? value]),
  )
}
