import { once } from 'node:events'
import { connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { afterEach, describe, expect, test } from 'vitest'
import { startServer, usualLimits } from '../../src/http/server.ts'
import { type Serving, startServing } from '../support/cli.ts'
import { world } from '../support/world.ts'

const { environment, gateway, identity, ada } = await world({ own: true })
const token = await ada.jwt()
let serving: Serving | undefined

afterEach(async () => {
  await serving?.signal('SIGTERM')
  serving = undefined
})

async function serve(env: Readonly<Record<string, string>> = {}): Promise<Serving> {
  serving = await startServing({
    ...environment,
    DATABASE_STATEMENT_TIMEOUT_MS: '10000',
    ...env,
  })
  return serving
}

function post(url: string, query: string, variables = {}, authorization = `Bearer ${token}`) {
  return fetch(`${url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization },
    body: JSON.stringify({ query, variables }),
  })
}

const viewer = '{ viewer { name } }'

test('a real process answers GraphQL, health and readiness, and nothing else', async () => {
  const { url, ...serving } = await serve({ METRICS_PORT: '0' })
  const answer = await post(url, viewer)
  expect(await answer.json()).toEqual({ data: { viewer: { name: ada.name } } })
  expect(answer.headers.get('cache-control')).toBe('no-store')
  const health = await fetch(`${url}/health`)
  expect(health.status).toBe(200)
  expect(health.headers.get('keep-alive')).toBe('timeout=65')
  expect((await metricsOf({ url, ...serving }, '127.0.0.1')).status).toBe(200)
  expect((await fetch(`${url}/ready`)).status).toBe(200)
  for (const method of ['GET', 'HEAD']) {
    const root = await fetch(url, { method })
    expect(root.status, method).toBe(200)
    expect(root.headers.get('content-type'), method).toMatch('application/json')
    const text = await root.text()
    if (method === 'HEAD') expect(text).toBe('')
    else
      expect(JSON.parse(text)).toMatchObject({
        name: 'Identity Gateway',
        graphql: '/graphql',
        ready: '/ready',
      })
    for (const path of ['/health', '/ready'])
      expect((await fetch(`${url}${path}`, { method })).status, `${method} ${path}`).toBe(200)
  }
  expect((await fetch(url, { method: 'POST' })).status).toBe(404)
  for (const path of ['/nothing', '/graphql/more', '/metrics', '/.env'])
    expect((await fetch(`${url}${path}`)).status, path).toBe(404)
})

test('where no address is named it listens on those of both families, and says so', async () => {
  const { url, ...serving } = await serve({ HOST: '', METRICS_PORT: '0' })
  expect(url).toMatch(/^http:\/\/\[::\]:\d+$/)
  const { port } = new URL(url)
  for (const host of ['127.0.0.1', '[::1]'])
    expect((await fetch(`http://${host}:${port}/health`)).status, host).toBe(200)
  expect((await metricsOf({ url, ...serving }, '[::]')).status).toBe(200)
})

test('without its database it lives but is not ready, and says UNAVAILABLE', async () => {
  const away = new URL(identity.readOnlyUrl)
  away.port = '1'
  const { url } = await serve({
    DATABASE_URL: away.href,
    AUTH_JWKS: `${identity.betterAuth.url}/jwks`,
  })
  expect((await fetch(`${url}/health`)).status).toBe(200)
  expect((await fetch(`${url}/ready`)).status).toBe(503)
  const { errors } = (await (await post(url, viewer)).json()) as { errors: object[] }
  expect(errors).toMatchObject([{ extensions: { code: 'UNAVAILABLE' } }])
  expect(JSON.stringify(errors)).not.toMatch(/127\.0\.0\.1|ECONNREFUSED|prisma/i)
})

describe('between requests', () => {
  test('a connection is kept for as long as is told, and closed then', async () => {
    const { url } = await serve({ KEEP_ALIVE_TIMEOUT_MS: '1500' })
    const { hostname, port } = new URL(url)
    const socket = connect(Number(port), hostname)
    const closed = once(socket, 'close')
    socket.write('GET /health HTTP/1.1\r\nhost: x\r\n\r\n')
    const [answer] = await once(socket, 'data')
    expect(String(answer)).toMatch(/^keep-alive: timeout=1\r$/im)
    const begun = performance.now()
    await closed
    expect(performance.now() - begun).toBeGreaterThan(1400)
    expect(performance.now() - begun).toBeLessThan(6000)
  })

  test('longer than the silence that ends others', async () => {
    const limits = { ...usualLimits, silenceMs: 300 }
    const { url, stop } = await startServer(gateway, {
      host: '127.0.0.1',
      port: 0,
      keepAliveTimeoutMs: 60_000,
      limits,
    })
    const { hostname, port } = new URL(url)
    const socket = connect(Number(port), hostname)
    const ask = async () => {
      socket.write('GET /health HTTP/1.1\r\nhost: x\r\n\r\n')
      const [data] = await once(socket, 'data')
      return String(data).split('\r\n', 1)[0]
    }
    expect(await ask()).toBe('HTTP/1.1 200 OK')
    await sleep(1000)
    expect(await ask()).toBe('HTTP/1.1 200 OK')
    socket.destroy()
    await stop()
  })
})

async function metricsOf({ lines }: Serving, host: string): Promise<Response> {
  const line = lines.map((text) => JSON.parse(text)).find(({ msg }) => msg === 'metrics')
  expect(line).toMatchObject({ host })
  return fetch(`http://${host}:${line.port}/metrics?from=prometheus`)
}

describe('when it is told to stop', () => {
  test.each(['SIGTERM', 'SIGINT'] as const)(
    'by %s, idle, it ends at once with 0, whoever is connected and silent',
    async (name) => {
      const { url, signal } = await serve()
      const { hostname, port } = new URL(url)
      const silent = connect(Number(port), hostname)
      silent.on('error', () => {})
      await once(silent, 'connect')
      await (await fetch(`${url}/health`)).text()
      const begun = performance.now()
      expect(await signal(name)).toBe(0)
      expect(performance.now() - begun).toBeLessThan(4000)
    },
  )

  test('requests under way are answered, new ones refused, and it ends soon after', async () => {
    const { url, signal } = await serve()
    await post(url, viewer)
    const lock = await lockUsers()
    const underWay = post(url, viewer)
    const open = await openConnection(url)
    await lock.waited()
    const ended = signal('SIGTERM')
    await expect.poll(() => fetch(`${url}/health`).then(Boolean, () => false)).toBe(false)
    open.ask('/ready')
    await expect.poll(() => open.received()).toMatch(/^HTTP\/1\.1 503 .*connection: close/is)
    await lock.release()
    const answer = await underWay
    expect(await answer.json()).toEqual({ data: { viewer: { name: ada.name } } })
    const answered = performance.now()
    expect(await ended).toBe(0)
    expect(performance.now() - answered).toBeLessThan(2000)
  })
})

test('for the time of grace it answers as before but says that it is not ready', async () => {
  const serving = await serve({
    SHUTDOWN_GRACE_MS: '4000',
    METRICS_PORT: '0',
    METRICS_HOST: '127.0.0.2',
  })
  const { url, signal } = serving
  await post(url, viewer)
  const metrics = async () => (await metricsOf(serving, '127.0.0.2')).text()
  expect(await metrics()).toContain('identity_gateway_ready 1')
  const ended = signal('SIGTERM')
  await expect.poll(async () => (await fetch(`${url}/ready`)).status).toBe(503)
  expect(await metrics()).toContain('identity_gateway_ready 0')
  const answer = await post(url, viewer)
  expect(answer.headers.get('connection')).toBe('close')
  expect(await answer.json()).toEqual({ data: { viewer: { name: ada.name } } })
  expect((await fetch(`${url}/health`)).status).toBe(200)
  expect(await ended).toBe(0)
})

/** Holds up every read of users. */
async function lockUsers() {
  const client = new pg.Client({ connectionString: identity.ownerUrl })
  await client.connect()
  await client.query('begin; lock table users in access exclusive mode')
  return {
    /** Until a read stands in the queue. */
    waited: () =>
      expect
        .poll(() =>
          identity.sql(
            "select 1 from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()",
          ),
        )
        .not.toHaveLength(0),
    release: async () => {
      await client.query('commit')
      await client.end()
    },
  }
}

/** A connection on which a request has begun but not ended, so that it is not idle when the server stops. */
async function openConnection(url: string) {
  const { hostname, port } = new URL(url)
  const socket = connect(Number(port), hostname)
  await once(socket, 'connect')
  let received = ''
  socket.on('data', (text) => {
    received += text
  })
  socket.write('GET ')
  return {
    ask: (path: string) => socket.write(`${path} HTTP/1.1\r\nhost: x\r\n\r\n`),
    received: () => received,
  }
}

test('no line of the log holds a token, an address, a name, an id or a value', async () => {
  const { url, lines, signal } = await serve({
    LOG_LEVEL: 'trace',
    DATABASE_STATEMENT_TIMEOUT_MS: '200',
  })
  const value = 'a-value-nobody-logs'
  await post(url, viewer)
  await post(url, 'query ($v: String!) { userByEmail(email: $v) { name email } }', { v: ada.email })
  await post(url, 'query ($v: ID!) { user(id: $v) { name phoneNumber } }', { v: value })
  await post(url, `{ user(id: "${value}") { nothing } }`)
  await post(url, `{ user(id: "${value}" `)
  await post(url, viewer, {}, `Bearer ${token}x`)
  await post(url, viewer, {}, `Basic ${value}`)
  await fetch(`${url}/graphql?query=${encodeURIComponent(`{ user(id: "${value}") { id } }`)}`)
  await fetch(`${url}/${value}`, { headers: { cookie: `session=${value}` } })
  const lock = await lockUsers()
  await post(url, 'query ($v: ID!) { user(id: $v) { name } }', { v: value })
  await lock.release()
  await expect.poll(() => lines.length).toBeGreaterThanOrEqual(10)
  await signal('SIGTERM')
  const requests = lines.filter((line) => JSON.parse(line).msg === 'request')
  expect(requests.length).toBeGreaterThanOrEqual(10)
  const log = lines.filter((line) => !line.includes(`"path":"/${value}"`)).join('\n')
  const secrets = [token, token.slice(0, 60), token.slice(-40), ada.email, ada.name, ada.id, value]
  for (const secret of secrets) expect(log).not.toContain(secret)
})

test('where names are given, a request for another one is 421', async () => {
  const server = await startServer(gateway, { host: '127.0.0.1', port: 0, hosts: ['127.0.0.1'] })
  const { port } = new URL(server.url)
  expect((await fetch(`http://127.0.0.1:${port}/health`)).status).toBe(200)
  expect((await fetch(`http://localhost:${port}/health`)).status).toBe(421)
  await server.stop()
})
