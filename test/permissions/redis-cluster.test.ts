import { setTimeout } from 'node:timers/promises'
import { Redis } from 'ioredis'
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest'
import { RateLimiter } from '../../src/http/rate-limiter.ts'
import { RedisAnnouncements } from '../../src/permissions/redis-announcements.ts'
import { RedisPermissionCache } from '../../src/permissions/redis-cache.ts'
import { createRedis } from '../../src/redis/client.ts'
import { grantOf, permissionCacheContract, someone } from '../contract/permission-cache.ts'
import { gatewayRedisUser } from '../support/documentation.ts'
import { type RedisProcess, startRedisProcess } from '../support/redis-process.ts'

const password = 'p@ss:w%rd/#,?'
const SLOTS = [
  [0, 5460],
  [5461, 10_922],
  [10_923, 16_383],
] as const

describe('a Redis Cluster of three nodes, whose user is the one of docs/permissions.md', () => {
  let nodes: readonly RedisProcess[] = []
  let admins: readonly Redis[] = []
  const troubles: string[] = []
  const options = {
    timeoutMs: 2000,
    onTrouble: ({ message }: Error): void => void troubles.push(message),
  }

  beforeAll(async () => {
    nodes = await Promise.all(SLOTS.map(startNode))
    admins = nodes.map((node) => new Redis(node.url, { password: 'admin' }))
    for (const admin of admins) admin.on('error', () => {})
    const user = gatewayRedisUser(password)
    for (const [i, admin] of admins.entries()) {
      await admin.call('ACL', ...user)
      await admin.cluster('ADDSLOTSRANGE', ...(SLOTS[i] ?? []))
      if (i > 0) await admin.cluster('MEET', '127.0.0.1', nodes[0]?.port ?? 0)
    }
    for (const admin of admins)
      await vi.waitFor(
        async () => {
          expect(await admin.cluster('INFO')).toMatch(/state:ok.*slots_ok:16384.*nodes:3/s)
        },
        { timeout: 20_000, interval: 100 },
      )
  })
  afterAll(async () => {
    for (const admin of admins) admin.disconnect()
    await Promise.all(nodes.map((node) => node.kill()))
  })

  const url = (count = 1) =>
    nodes
      .slice(0, count)
      .map(({ port }) => `redis://gateway:${encodeURIComponent(password)}@127.0.0.1:${port}`)
      .join(', ')
  const create = ({ ttlSeconds = 300, addresses = 1, onTrouble = options.onTrouble } = {}) =>
    new RedisPermissionCache(createRedis(url(addresses), options), {
      ...options,
      onTrouble,
      prefix: 'identity:',
      ttlSeconds,
      version: 'v1',
    })
  const epochs = { organization: '', user: '' }

  /** Of others than administrators, at all nodes. */
  async function connections(): Promise<number> {
    const lists = await Promise.all(admins.map((admin) => admin.client('LIST')))
    return (lists.join('').match(/user=gateway/g) ?? []).length
  }

  permissionCacheContract('RedisPermissionCache', async (contract) => create(contract))

  test.each([1, 2])('its keys are found by %i addresses', async (addresses) => {
    const cache = create({ addresses })
    expect(await cache.ready()).toBe(true)
    const subjects = Array.from({ length: 20 }, someone)
    await cache.write(subjects.map((subject) => ({ subject, grant: grantOf(), epochs })))
    const found = await cache.read(subjects, 'CACHED')
    expect(found.map(({ grant }) => grant?.member)).toEqual(subjects.map(() => true))
    await cache.close()
    expect(troubles).toEqual([])
  })

  test('a question before anybody connected is a miss, and the next ones are answered', async () => {
    const cache = create({ onTrouble: () => {} })
    const subject = someone()
    expect((await cache.read([subject], 'CACHED'))[0]?.grant).toBeUndefined()
    await expect
      .poll(async () => {
        await cache.write([{ subject, grant: grantOf(), epochs }])
        return (await cache.read([subject], 'CACHED'))[0]?.grant?.member
      })
      .toBe(true)
    await cache.close()
  })

  test('what is announced at one node is heard by who listens with one address', async () => {
    const changed = vi.fn()
    const announcements = new RedisAnnouncements(createRedis(url(), options), {
      prefix: 'identity:',
      listener: { changed } as never,
    })
    onTestFinished(() => announcements.close())
    await vi.waitFor(async () => {
      await admins[2]?.publish('identity:invalidate', JSON.stringify({ userId: 'ada' }))
      expect(changed).toHaveBeenCalledWith({ userId: 'ada' })
    })
  })

  test('requests are counted together, wherever the counters are', async () => {
    const addresses = Array.from({ length: 10 }, (_, i) => `192.0.2.${i}`)
    const clients = [0, 1].map(() => createRedis(url(), options))
    const limiters = clients.map((client) => {
      const redis = { client, keyPrefix: 'identity:' }
      return new RateLimiter({ perMinute: 1, redis })
    })
    onTestFinished(() => {
      for (const client of clients) client.disconnect()
    })
    for (const client of clients) void client.connect()
    await expect.poll(() => clients.every(({ commands }) => commands.isCluster)).toBe(true)
    const count = (limiter: RateLimiter | undefined) =>
      Promise.all(addresses.map((address) => limiter?.ofAddress(address)))
    await vi.waitFor(async () => {
      await count(limiters[0])
      expect((await count(limiters[1])).filter(Number.isInteger)).toHaveLength(10)
    })
  })

  test('a server that does not tell of its Cluster is left when it sends elsewhere', async () => {
    await admins[0]?.call('ACL', 'SETUSER', 'gateway', '-cluster|slots')
    const redis = createRedis(url(), options)
    onTestFinished(() => redis.disconnect())
    await redis.connect()
    expect(redis.commands.isCluster).toBe(false)
    await admins[0]?.call('ACL', 'SETUSER', 'gateway', '+cluster|slots')
    await admins[0]?.call('ACL', 'LOG', 'RESET')
    // A key of the third node.
    await expect(redis.commands.set('identity:{a}', '1')).rejects.toThrow(/MOVED|closed/)
    await expect.poll(() => redis.commands.set('identity:{a}', '1').catch(String)).toBe('OK')
    expect(redis.commands.isCluster).toBe(true)
  })

  test('while a slot moves to another node, its keys are looked for there', async () => {
    const [first, , third] = admins
    const [slot, ids] = [15_495, [await first?.cluster('MYID'), await third?.cluster('MYID')]]
    await first?.cluster('SETSLOT', slot, 'IMPORTING', String(ids[1]))
    await third?.cluster('SETSLOT', slot, 'MIGRATING', String(ids[0]))
    onTestFinished(async () => {
      for (const admin of [first, third]) await admin?.cluster('SETSLOT', slot, 'STABLE')
    })
    const redis = createRedis(url(), options)
    onTestFinished(() => redis.disconnect())
    await redis.connect()
    expect(await redis.commands.get('identity:moved:{a}')).toBeNull()
    for (const admin of admins) await admin.call('ACL', 'SETUSER', 'gateway', '-asking')
    await expect(redis.commands.get('identity:moved:{a}')).rejects.toThrow()
    for (const admin of admins) {
      await admin.call('ACL', 'SETUSER', 'gateway', '+asking')
      await admin.call('ACL', 'LOG', 'RESET')
    }
  })

  test.each([0, 1, 3, 10, 30, 100])(
    'closed after %i ms, nothing stays connected',
    async (milliseconds) => {
      await expect.poll(connections, { timeout: 5000 }).toBe(0)
      const redis = createRedis(url(), options)
      redis.connect().catch(() => {})
      const asking = setInterval(() => {
        for (const name of ['a', 'b', 'c']) redis.commands.get(`identity:${name}`).catch(() => {})
      }, 1)
      await setTimeout(milliseconds)
      redis.disconnect()
      await setTimeout(100)
      clearInterval(asking)
      await expect.poll(connections, { timeout: 5000 }).toBe(0)
      await expect(redis.commands.get('identity:a')).rejects.toThrow()
    },
  )

  test('the user may do all that was done, and no trouble was told', async () => {
    const denied = await Promise.all(admins.map((admin) => admin.call('ACL', 'LOG')))
    const names = denied
      .flat(2)
      .flatMap((word, i, words) => (word === 'object' ? words[i + 1] : []))
    // A name for the connection, without which it does.
    expect(names.filter((name) => name !== 'client|setname')).toEqual([])
    expect(troubles).toEqual([])
  })

  test('losing a node is a miss, not an error', async () => {
    const cache = create()
    await cache.ready()
    await nodes[1]?.kill()
    const subjects = Array.from({ length: 20 }, someone)
    await cache.write(subjects.map((subject) => ({ subject, grant: grantOf(), epochs })))
    expect(await cache.read(subjects, 'CACHED')).toHaveLength(20)
    await cache.close()
  })
})

function startNode(): Promise<RedisProcess> {
  return startRedisProcess({ settings: ['--cluster-enabled', 'yes', '--requirepass', 'admin'] })
}
