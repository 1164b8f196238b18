import { afterEach, describe, expect, test, vi } from 'vitest'
import { defaultRoleDefinitions } from '../../src/permissions/definitions.ts'
import { RedisPermissionCache } from '../../src/permissions/redis-cache.ts'
import { CachingPermissionService } from '../../src/permissions/service.ts'
import { Trust } from '../../src/permissions/trust.ts'
import { createRedis } from '../../src/redis/client.ts'
import { grantOf, someone } from '../contract/permission-cache.ts'
import { type RedisProcess, startRedisProcess } from '../support/redis-process.ts'
import { CountingRoles } from './counting-roles.ts'

const timeoutMs = 100
const epochs = { organization: '', user: '' }
const options = { prefix: '', ttlSeconds: 300, version: 'v1', timeoutMs }

describe('with a Redis in trouble', () => {
  const cleanups: (() => Promise<void>)[] = []
  afterEach(async () => {
    for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
  })

  async function setUp(settings: readonly string[] = []) {
    const redis = await startRedisProcess({ settings })
    const lost = vi.fn()
    const failing = vi.fn()
    const cache = new RedisPermissionCache(createRedis(redis.url, { timeoutMs, onTrouble: lost }), {
      prefix: '',
      ttlSeconds: 300,
      version: 'v1',
      timeoutMs,
      onTrouble: failing,
    })
    cleanups.push(
      () => redis.kill(),
      () => cache.close(),
    )
    // A machine that is busy with other tests may need more than one try.
    await expect.poll(() => cache.ready(), { timeout: 10_000 }).toBe(true)
    for (const told of [lost, failing]) told.mockClear()
    const roles = new CountingRoles()
    const definitions = defaultRoleDefinitions
    const trust = new Trust({ continuous: false })
    const service = new CachingPermissionService({
      roles,
      cache,
      trust,
      definitions,
      dynamic: false,
    })
    return { redis, cache, service, roles, lost, failing }
  }

  const recovered = (cache: RedisPermissionCache) =>
    vi.waitFor(
      async () => {
        const subject = someone()
        await cache.write([{ subject, grant: grantOf(), epochs }])
        expect((await cache.read([subject], 'CACHED'))[0]?.grant).toBeDefined()
      },
      { timeout: 10_000, interval: 50 },
    )

  test.each([
    ['hung', async (redis: RedisProcess) => redis.hang()],
    ['killed', (redis: RedisProcess) => redis.kill()],
  ])(
    'one that is %s costs a bounded wait, then none, and never a wrong answer',
    async (_how, harm) => {
      const { redis, cache, service, roles, failing } = await setUp()
      const subject = someone()
      await service.resolve([subject], 'CACHED')
      roles.role = 'owner'
      await harm(redis)

      const waits: number[] = []
      for (const consistency of [
        'CACHED',
        'FRESH',
        'CACHED',
        'FRESH',
        'CACHED',
        'CACHED',
      ] as const) {
        const { answer, waitedMs } = await timed(() => service.resolve([subject], consistency))
        expect(answer[0]).toMatchObject({ roles: ['owner'], source: 'DATABASE' })
        waits.push(waitedMs)
      }
      expect(Math.max(...waits)).toBeLessThan(timeoutMs + 100)
      expect(waits.at(-1)).toBeLessThan(20)
      expect(failing).toHaveBeenCalledTimes(1)
      expect(await cache.ready()).toBe(false)
      await expect(service.invalidate({ userId: subject.userId })).rejects.toThrow()
      expect((await timed(() => cache.close())).waitedMs).toBeLessThan(timeoutMs + 100)
    },
  )

  test('one that is killed keeps no question after an event on a flight of before it', async () => {
    const { redis, service, roles } = await setUp()
    const subject = someone()
    await redis.kill()
    roles.held = true
    const overtaken = service.resolve([subject], 'CACHED')
    await vi.waitFor(() => expect(roles.reads).toHaveLength(1))
    roles.role = null
    await expect(service.invalidate({ userId: subject.userId })).rejects.toThrow()
    const later = service.resolve([subject], 'CACHED')
    await vi.waitFor(() => expect(roles.reads).toHaveLength(2))
    for (const read of roles.reads) read.release()
    expect((await overtaken)[0]?.member).toBe(true)
    expect((await later)[0]?.member).toBe(false)
  })

  test('one that hung is used again after it woke up', async () => {
    const { redis, cache } = await setUp()
    redis.hang()
    for (let count = 0; count < 6; count++) await cache.read([someone()], 'CACHED')
    redis.resume()
    await recovered(cache)
    expect(await cache.ready()).toBe(true)
  })

  test('one that was killed is used again after it came back, and told of once', async () => {
    const { redis, cache, lost } = await setUp()
    await redis.kill()
    for (let count = 0; count < 6; count++) await cache.read([someone()], 'CACHED')
    await vi.waitFor(() => expect(lost).toHaveBeenCalled())
    const again = await startRedisProcess({ port: redis.port })
    cleanups.push(() => again.kill())
    await recovered(cache)
    expect(lost).toHaveBeenCalledTimes(1)
  })

  test('one that is full still answers what it holds, and writes are reported once', async () => {
    const { redis, cache, service, failing } = await setUp(['--maxmemory-policy', 'noeviction'])
    const subject = someone()
    await service.resolve([subject], 'CACHED')
    const admin = createRedis(redis.url, { timeoutMs, onTrouble: () => {} })
    await admin.connect()
    await admin.commands.config('SET', 'maxmemory', '1')
    for (let count = 0; count < 10; count++) {
      const [grant] = await service.resolve([someone()], 'CACHED')
      expect(grant).toMatchObject({ roles: ['member'], source: 'DATABASE' })
    }
    expect((await service.resolve([subject], 'CACHED'))[0]?.source).toBe('CACHE')
    await vi.waitFor(() => expect(failing).toHaveBeenCalledTimes(1))
    await expect(cache.invalidate({ userId: subject.userId })).rejects.toThrow('OOM')
    await admin.quit()
  })

  test.each([
    ['server', (url: string) => url],
    ['Cluster', (url: string) => `${url},${url}`],
  ])('a %s that was never there costs a bounded wait and is told of once', async (_what, at) => {
    const gone = await startRedisProcess()
    await gone.kill()
    const lost = vi.fn()
    const client = createRedis(at(gone.url), { timeoutMs, onTrouble: lost })
    const errors = vi.fn()
    client.commands.on('error', errors)
    const cache = new RedisPermissionCache(client, { ...options, onTrouble: () => {} })
    expect(await cache.ready()).toBe(false)
    for (let count = 0; count < 7; count++) {
      const { answer, waitedMs } = await timed(() => cache.read([someone()], 'CACHED'))
      expect(answer).toEqual([{ grant: undefined, epochs: undefined }])
      expect(waitedMs).toBeLessThan(timeoutMs + 100)
    }
    expect((await timed(() => cache.read([someone()], 'CACHED'))).waitedMs).toBeLessThan(20)
    const invalidation = timed(() => Promise.allSettled([cache.invalidate(someone())]))
    expect((await invalidation).waitedMs).toBeLessThan(timeoutMs + 100)
    await vi.waitFor(() => expect(errors.mock.calls.length).toBeGreaterThan(2), 5000)
    expect(lost).toHaveBeenCalledTimes(1)
    await cache.close()
  })

  test('one that stays away is told of once, however often it is tried', async () => {
    const { redis, cache, failing } = await setUp()
    await redis.kill()
    vi.useFakeTimers({ toFake: ['Date'] })
    cleanups.push(async () => void vi.useRealTimers())
    for (let minute = 0; minute < 5; minute++) {
      for (let count = 0; count < 6; count++) await cache.read([someone()], 'CACHED')
      vi.setSystemTime(Date.now() + 60_000)
    }
    expect(failing).toHaveBeenCalledTimes(1)
  })

  test('twenty questions in one turn are one round trip', async () => {
    const { redis, cache } = await setUp()
    const admin = createRedis(redis.url, { timeoutMs, onTrouble: () => {} })
    await admin.connect()
    const readsOf = async () =>
      Number(/total_reads_processed:(\d+)/.exec(await admin.commands.info('stats'))?.[1])
    const before = await readsOf()
    const asking = (await readsOf()) - before
    await Promise.all([
      cache.read(Array.from({ length: 10 }, someone), 'CACHED'),
      cache.read(Array.from({ length: 10 }, someone), 'CACHED'),
    ])
    expect((await readsOf()) - before).toBe(2 * asking + 1)
    await admin.quit()
  })

  test('a FRESH question fetches no grant', async () => {
    const { redis, cache } = await setUp()
    const admin = createRedis(redis.url, { timeoutMs, onTrouble: () => {} })
    await admin.connect()
    const subject = someone()
    await cache.write([{ subject, grant: grantOf(), epochs }])
    const found = async () =>
      Number(/keyspace_hits:(\d+)/.exec(await admin.commands.info('stats'))?.[1])
    const before = await found()
    await cache.read([subject], 'FRESH')
    expect((await found()) - before).toBe(0)
    await cache.read([subject], 'CACHED')
    expect((await found()) - before).toBe(1)
    await admin.quit()
  })
})

async function timed<Answer>(act: () => Promise<Answer>) {
  const start = performance.now()
  const answer = await act()
  return { answer, waitedMs: performance.now() - start }
}
