import { Redis } from 'ioredis'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { checkRedis } from '../../src/doctor/checks/redis.ts'
import { examine } from '../../src/doctor/doctor.ts'
import { CostBudget } from '../../src/http/budget.ts'
import { RateLimiter } from '../../src/http/rate-limiter.ts'
import { RedisPermissionCache } from '../../src/permissions/redis-cache.ts'
import { createRedis } from '../../src/redis/client.ts'
import { gatewayRedisUser } from '../support/documentation.ts'
import { type RedisProcess, startRedisProcess } from '../support/redis-process.ts'

let server: RedisProcess
let admin: Redis

beforeAll(async () => {
  server = await startRedisProcess({ settings: ['--requirepass', 'admin'] })
  admin = new Redis({ port: server.port, password: 'admin' })
})

afterAll(async () => {
  admin.disconnect()
  await server.kill()
})

const urlOf = (user: string, password: string) =>
  `redis://${user}:${password}@127.0.0.1:${server.port}`

async function messages(url: string, keyPrefix = 'identity:') {
  const limits = { ratePerMinute: 10 }
  const findings = await checkRedis({
    redis: { url, ca: undefined, sentinelPassword: undefined, keyPrefix, timeoutMs: 250 },
    limits,
  })
  return findings.map(({ level, message }) => `${level}: ${message}`)
}

test('without REDIS_URL there is nothing to look at', async () => {
  expect(await checkRedis({ redis: null })).toEqual([expect.objectContaining({ level: 'info' })])
})

test('the user that docs/permissions.md describes is enough, and has no more than it should', async () => {
  await admin.call('ACL', ...gatewayRedisUser())
  const url = urlOf('gateway', 'secret')
  expect(await messages(url)).toEqual([
    expect.stringMatching(/^info: Redis \d+\.\d+\.\d+ answers\.$/),
    expect.stringMatching(/^info: An answer takes \d+\.\d ms\.$/),
    'info: Memory is not limited, so nothing is evicted.',
    'info: The user of REDIS_URL may write below identity: alone.',
  ])
  await admin.call('ACL', 'LOG', 'RESET')
  const failures: Error[] = []
  const redis = createRedis(url, { timeoutMs: 1000, onTrouble: (error) => failures.push(error) })
  const options = { prefix: 'identity:', ttlSeconds: 60, version: '1', timeoutMs: 1000 }
  const cache = new RedisPermissionCache(redis, {
    ...options,
    onTrouble: (error) => failures.push(error),
  })
  const subject = { userId: 'ada', organizationId: 'acme' }
  expect(await cache.ready()).toBe(true)
  await cache.invalidate({ userId: 'ada' })
  const [{ epochs } = { epochs: undefined }] = await cache.read([subject], 'CACHED')
  if (!epochs) throw new Error('The epochs cannot be read.')
  const grant = {
    active: true,
    member: true,
    roles: ['owner'],
    permissions: ['leave:approve'] as const,
    resolvedAt: new Date(),
  }
  await cache.write([{ subject, grant, epochs }])
  expect((await cache.read([subject], 'CACHED'))[0]?.grant).toBeDefined()
  expect(failures).toEqual([])
  await cache.close()

  const client = createRedis(`${url}/1`, { timeoutMs: 1000, onTrouble: (e) => failures.push(e) })
  await client.connect()
  const rate = new RateLimiter({
    perMinute: 10,
    redis: { client, keyPrefix: 'identity:' },
  })
  for (let i = 0; i < 3; i++) await rate.ofAddress('192.0.2.1')
  const budget = new CostBudget({
    costPerMinute: 100,
    costPerMinuteOfServices: null,
    redis: { client, keyPrefix: 'identity:' },
  })
  budget.spend({ kind: 'user', userId: 'ada' }, 'user:ada', 10)
  const counted = new Redis({ port: server.port, password: 'admin', db: 1 })
  await expect.poll(() => counted.get('identity:budget:user%3Aada')).toMatch(/^0\.000 /)
  expect(await counted.get('identity:rate:address:192.0.2.1')).toBe('3')
  counted.disconnect()
  client.disconnect()
  expect(failures).toEqual([])
  expect(await admin.call('ACL', 'LOG')).toEqual([])
})

test('commands that the user lacks are named', async () => {
  const user = gatewayRedisUser().filter((word) => word !== '+mget' && word !== '+eval')
  await admin.call('ACL', ...user.map((word) => (word === 'gateway' ? 'lacking' : word)))
  expect(await messages(urlOf('lacking', 'secret'))).toContainEqual(
    expect.stringMatching(/^error: .* may not run MGET, EVAL on keys of the gateway: give it/),
  )
  const counting = ['+incrby', '+pttl', '+expire']
  const caching = gatewayRedisUser().filter((word) => !counting.includes(word))
  await admin.call('ACL', ...caching.map((word) => (word === 'gateway' ? 'caching' : word)))
  const redis = {
    url: urlOf('caching', 'secret'),
    ca: undefined,
    sentinelPassword: undefined,
    keyPrefix: 'identity:',
    timeoutMs: 250,
  }
  const errors = async (ratePerMinute: number | null) =>
    (await checkRedis({ redis, limits: { ratePerMinute } })).filter(
      ({ level }) => level === 'error',
    )
  expect(await errors(null)).toEqual([])
  const [found] = await errors(10)
  expect(found?.message).toContain('may not run INCRBY, PTTL, EXPIRE on keys')
})

test('a user who may do everything is found, and others’ keys; none is changed', async () => {
  await admin.set('sessions:1', 'somebody else’s')
  const before = await admin.keys('*')
  const found = await messages(urlOf('default', 'admin'))
  expect(found).toContainEqual(
    expect.stringMatching(
      /^warning: .* write keys that do not begin with identity: and run commands of administrators/,
    ),
  )
  expect(found).toContainEqual(expect.stringMatching(/^warning: Others keep keys/))
  expect((await admin.keys('*')).sort()).toEqual(before.sort())
  await admin.del('sessions:1')
})

test('a limit of memory without eviction is found', async () => {
  await admin.config('SET', 'maxmemory', '100mb')
  expect(await messages(urlOf('default', 'admin'))).toContainEqual(
    expect.stringMatching(/^warning: Redis evicts nothing/),
  )
  await admin.config('SET', 'maxmemory-policy', 'allkeys-lru')
  expect(await messages(urlOf('default', 'admin'))).toContainEqual(
    expect.stringMatching(/^info: Eviction: allkeys-lru\./),
  )
})

test.each([
  [() => urlOf('default', 'wrong'), /^error: .*refuses the user or the password of REDIS_URL/],
  [() => urlOf('nobody', 'admin'), /^error: .*refuses the user or the password of REDIS_URL/],
  [() => `redis://127.0.0.1:${server.port}`, /^error: .*wants a password/],
  [() => 'redis://127.0.0.1:1', /^error: Redis at 127.0.0.1:1 does not answer/],
  [() => 'redis://nosuch.invalid', /^error: Redis at nosuch.invalid:6379 .* no such host/],
])('%s: one sentence', async (url, sentence) => {
  const found = await messages(url())
  expect(found).toEqual([expect.stringMatching(sentence)])
  expect(found.join()).not.toMatch(/wrong|secret/)
})

describe('a server that refuses what the gateway does', () => {
  const started: RedisProcess[] = []
  const start = async (...settings: string[]) => {
    const redis = await startRedisProcess({ settings })
    started.push(redis)
    return redis
  }
  afterAll(async () => {
    for (const redis of started) await redis.kill()
  })

  /** What `doctor` says of Redis, with a database that is not there. */
  async function examined(url: string) {
    const { findings, healthy } = await examine({
      DATABASE_URL: 'postgresql://127.0.0.1:1/none',
      AUTH_ISSUER: 'https://auth.example.com',
      REDIS_URL: url,
    })
    expect(healthy).toBe(false)
    return findings
      .filter(({ check, level }) => check === 'redis' && level === 'error')
      .map(({ message }) => message)
  }

  test('a replica', async () => {
    const { port } = await start('--replicaof', '127.0.0.1', String(server.port))
    expect(await examined(`redis://:secret@127.0.0.1:${port}`)).toEqual([
      expect.stringMatching(new RegExp(`^Redis at 127.0.0.1:${port} is a replica.* the primary`)),
    ])
  })

  test('a replica that has lost its primary and serves nothing', async () => {
    const replica = ['--replicaof', '127.0.0.1', '1', '--replica-serve-stale-data', 'no']
    const { url, port } = await start(...replica)
    expect(await examined(url)).toEqual([
      expect.stringMatching(`^Redis at 127.0.0.1:${port} is a replica that has lost its primary: `),
    ])
  })

  test('one without the database of REDIS_URL', async () => {
    const { url, port } = await start('--databases', '2')
    expect(await examined(`${url}/2`)).toEqual([
      expect.stringMatching(
        `^Redis at 127.0.0.1:${port} refuses the number of the database in REDIS_URL: `,
      ),
    ])
  })

  test('one that is full', async () => {
    const { url, port } = await start('--maxmemory', '1', '--maxmemory-policy', 'noeviction')
    expect(await examined(url)).toEqual([
      expect.stringMatching(`^Redis at 127.0.0.1:${port} is full .*: give it more memory`),
    ])
  })

  test('a Redis Cluster that is down', async () => {
    const { url, port } = await start('--cluster-enabled', 'yes')
    expect(await examined(url)).toEqual([
      expect.stringMatching(`^Redis at 127.0.0.1:${port} says that its Redis Cluster is down: `),
    ])
  })

  test('one node of a Redis Cluster', async () => {
    const { url, port } = await start(
      '--cluster-enabled',
      'yes',
      '--cluster-require-full-coverage',
      'no',
    )
    const node = new Redis(url)
    // Whatever is not this node's is another's, which it names.
    await node.cluster('ADDSLOTSRANGE', 0, 16_383)
    const other = await start('--cluster-enabled', 'yes')
    await node.cluster('MEET', '127.0.0.1', other.port)
    const otherNode = new Redis(other.url)
    await expect
      .poll(() => otherNode.cluster('INFO'), { timeout: 20_000 })
      .toContain('cluster_state:ok')
    for (const client of [node, otherNode]) client.disconnect()
    expect(await examined(other.url)).toEqual([])
    expect(await examined(`${other.url}/3`)).toEqual([
      expect.stringMatching(
        `^Redis at 127.0.0.1:${other.port} is a Redis Cluster, which has no numbered databases: `,
      ),
    ])
    expect(await examined(`${other.url},${other.url}`)).toEqual([])
    expect(port).not.toBe(other.port)
  })
})
