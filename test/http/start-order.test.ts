import { afterAll, beforeAll, expect, test } from 'vitest'
import { startBetterAuth } from '../../src/demo/better-auth.ts'
import { type Serving, startServing } from '../support/cli.ts'
import { type PostgresProcess, startPostgresProcess } from '../support/postgres-process.ts'
import { type RedisProcess, startRedisProcess } from '../support/redis-process.ts'
import { type ServiceIssuer, startServiceIssuer } from '../support/tokens.ts'

let postgres: PostgresProcess
let redis: RedisProcess
let services: ServiceIssuer
let serving: Serving

beforeAll(async () => {
  postgres = await startPostgresProcess()
  const betterAuth = await startBetterAuth({ databaseUrl: postgres.url })
  await betterAuth.stop()
  await postgres.stop()
  redis = await startRedisProcess()
  await redis.kill()
  services = await startServiceIssuer()
  services.jwks.status = 500
})

afterAll(async () => {
  await serving.signal('SIGTERM')
  await Promise.all([redis.kill(), services.stop(), postgres.remove()])
})

/** How many lines say so; the last ones may still be on their way. */
const told = (part: string) => serving.lines.filter((line) => line.includes(part)).length

const [gone, back] = ['Nothing listens at 127.0.0.1:', 'The database answers again.']

const statusOf = async (path: string) => (await fetch(`${serving.url}${path}`)).status

async function ask(query: string, token?: string) {
  const response = await fetch(`${serving.url}/graphql`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    },
    body: JSON.stringify({ query }),
  })
  const { errors = [] } = (await response.json()) as {
    errors?: { extensions: { code: string } }[]
  }
  return { status: response.status, codes: errors.map(({ extensions }) => extensions.code) }
}

test('with nothing there it starts, says so, and is ready when the others are, in any order', async () => {
  serving = await startServing({
    DATABASE_URL: postgres.url,
    REDIS_URL: redis.url,
    AUTH_ISSUER: 'https://auth.example.com',
    ...services.environment,
    METRICS_PORT: '0',
  })
  expect([await statusOf('/health'), await statusOf('/ready')]).toEqual([200, 503])
  expect(await ask('{ viewer { id } }')).toEqual({ status: 200, codes: [] })
  const token = await services.token()
  expect(await ask('{ viewer { id } }', token)).toEqual({ status: 503, codes: ['UNAVAILABLE'] })

  services.jwks.status = 200
  await expect
    .poll(() => ask('{ viewer { id } }', token), { timeout: 5000 })
    .toEqual({ status: 200, codes: [] })
  expect(await statusOf('/ready')).toBe(503)

  await postgres.start()
  await expect.poll(() => statusOf('/ready'), { timeout: 5000 }).toBe(200)
  redis = await startRedisProcess({ port: redis.port })
  expect(await statusOf('/health')).toBe(200)
})

test('while the database hangs it is not ready, and says so in time', async () => {
  await expect.poll(() => told(back)).toBe(1)
  await postgres.hang()
  await expect.poll(() => statusOf('/ready'), { timeout: 5000 }).toBe(503)
  expect(await statusOf('/health')).toBe(200)
  await postgres.resume()
  await expect.poll(() => statusOf('/ready'), { timeout: 5000 }).toBe(200)
  await expect.poll(() => told(back)).toBe(2)
})

test('a database that goes is told of once, with why, and so is its return', async () => {
  const returns = told(back)
  const reasons = told(gone)
  await postgres.stop()
  await expect.poll(() => statusOf('/ready'), { timeout: 5000 }).toBe(503)
  const answer = await fetch(`${serving.url}/ready`)
  expect([answer.status, await answer.text()]).toEqual([
    503,
    'The database cannot be asked. Nothing listens at HOST:PORT: check DATABASE_URL.\n',
  ])
  expect(await metric('database_up')).toBe('0')
  await postgres.start()
  await expect.poll(() => statusOf('/ready'), { timeout: 5000 }).toBe(200)
  await expect.poll(() => told(back)).toBe(returns + 1)
  expect(told(gone)).toBe(reasons + 1)
  expect(await metric('database_up')).toBe('1')
})

test('nobody has to ask whether it is ready for the log to tell of a database that goes and comes back', async () => {
  const before = [told(gone), told(back)]
  const token = await services.token()
  await postgres.stop()
  const find = async () => {
    await ask('{ usersByIds(ids: ["ada"]) { id } }', token)
    return told(gone)
  }
  await expect.poll(find, { timeout: 5000 }).toBe((before[0] ?? 0) + 1)
  await postgres.start()
  await expect
    .poll(() => [told(gone), told(back)], { timeout: 5000 })
    .toEqual(before.map((count) => count + 1))
})

test('keys that were read go on while their source is gone', async () => {
  services.jwks.status = 500
  expect((await ask('{ viewer { id } }', await services.token())).status).toBe(200)
  services.jwks.status = 200
})

function metricsPort(): number {
  const lines = serving.lines.map((line) => JSON.parse(line) as { msg: string; port: number })
  return lines.find(({ msg }) => msg === 'metrics')?.port ?? 0
}

async function metric(name: string): Promise<string | undefined> {
  const answer = await fetch(`http://127.0.0.1:${metricsPort()}/metrics`)
  return new RegExp(`^identity_gateway_${name} (.*)$`, 'm').exec(await answer.text())?.[1]
}

test('whether Redis answers is a metric', async () => {
  expect(await metric('redis_up')).toBe('1')
  redis.hang()
  expect(await metric('redis_up')).toBe('0')
  redis.resume()
  await expect.poll(() => metric('redis_up')).toBe('1')
})

test('metrics have a port of their own, and nothing else is there', async () => {
  const port = metricsPort()
  const answer = await fetch(`http://127.0.0.1:${port}/metrics`)
  expect(answer.headers.get('content-type')).toMatch(/^text\/plain; version=0\.0\.4/)
  expect(await answer.text()).toContain('identity_gateway_request_duration_seconds_count')
  expect((await fetch(`http://127.0.0.1:${port}/graphql`)).status).toBe(404)
  expect(await statusOf('/metrics')).toBe(404)
})
