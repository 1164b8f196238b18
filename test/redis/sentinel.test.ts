import { setTimeout } from 'node:timers/promises'
import { Redis } from 'ioredis'
import { afterAll, beforeAll, expect, onTestFinished, test, vi } from 'vitest'
import { Announcer } from '../../src/better-auth/announcer.ts'
import { checkRedis } from '../../src/doctor/checks/redis.ts'
import { defaultRoleDefinitions } from '../../src/permissions/definitions.ts'
import { RedisAnnouncements } from '../../src/permissions/redis-announcements.ts'
import { RedisPermissionCache } from '../../src/permissions/redis-cache.ts'
import { CachingPermissionService } from '../../src/permissions/service.ts'
import { Trust } from '../../src/permissions/trust.ts'
import { createRedis } from '../../src/redis/client.ts'
import { describeRedisTrouble } from '../../src/redis/trouble.ts'
import { someone } from '../contract/permission-cache.ts'
import { CountingRoles } from '../permissions/counting-roles.ts'
import { gatewayRedisUser, pluginRedisUser } from '../support/documentation.ts'
import { type RedisProcess, startRedisProcess, startSentinel } from '../support/redis-process.ts'

const sentinelPassword = 'guard'
const access = { ca: undefined, sentinelPassword, keyPrefix: 'identity:', timeoutMs: 500 }
let servers: readonly RedisProcess[] = []
let sentinel: RedisProcess | undefined
const admins: Redis[] = []

beforeAll(async () => {
  const passwords = [
    '--requirepass',
    'admin',
    '--masterauth',
    'admin',
    '--repl-diskless-sync-delay',
    '0',
  ]
  const primary = await startRedisProcess({ settings: passwords })
  const following = ['--replicaof', '127.0.0.1', String(primary.port)]
  const replica = await startRedisProcess({ settings: [...passwords, ...following] })
  servers = [primary, replica]
  for (const { url } of servers) {
    const admin = adminOf(url, 'admin')
    await admin.call('ACL', ...gatewayRedisUser())
    await admin.call('ACL', ...pluginRedisUser())
  }
  await vi.waitFor(
    async () => expect(await admins[0]?.info('replication')).toContain('state=online'),
    { timeout: 20_000, interval: 100 },
  )
  sentinel = await startSentinel(
    `requirepass ${sentinelPassword}`,
    `sentinel monitor mymaster 127.0.0.1 ${primary.port} 1`,
    'sentinel auth-pass mymaster admin',
    'sentinel down-after-milliseconds mymaster 1000',
    'sentinel failover-timeout mymaster 3000',
  )
  adminOf(sentinel.url, sentinelPassword)
})
afterAll(async () => {
  for (const admin of admins) admin.disconnect()
  for (const process of [sentinel, ...servers]) await process?.kill()
})

/** The first of its sentinels is away. */
const url = (master = 'mymaster', port = sentinel?.port ?? 0) =>
  `redis-sentinel://gateway:secret@127.0.0.1:1,127.0.0.1:${port}/${master}`

const quiet = { ...access, onTrouble: () => {} }

test('doctor finds the primary, and the user of docs/permissions.md is enough there', async () => {
  const found = await checkRedis({ redis: { ...access, url: url() } })
  expect(found.filter(({ level }) => level !== 'info')).toEqual([])
  const [finding, ...others] = await checkRedis({ redis: { ...access, url: url('other') } })
  expect(finding?.message).toContain('no master of that name')
  expect(others).toEqual([])
})

test.each([
  ['a master of another name', () => url('other'), sentinelPassword, 'no master of that name'],
  ['sentinels that are away', () => url('mymaster', 2), sentinelPassword, 'none of its sentinels'],
  ['no password', () => url(), undefined, 'set REDIS_SENTINEL_PASSWORD'],
  ['another password', () => url(), 'other', 'set REDIS_SENTINEL_PASSWORD'],
  ['another user', () => url().replace('secret', 'other'), 'guard', 'password of REDIS_URL'],
  ['another database', () => `${url()}/99`, 'guard', 'number of the database'],
])('%s is told in one sentence', async (_, urlOf, password, part) => {
  const told = vi.fn()
  const redis = createRedis(urlOf(), { ...access, sentinelPassword: password, onTrouble: told })
  onTestFinished(() => redis.disconnect())
  redis.connect().catch(() => {})
  await expect.poll(() => told.mock.calls.length, { timeout: 5000 }).toBe(1)
  const sentence = describeRedisTrouble(told.mock.calls[0]?.[0], urlOf())
  expect(sentence).toMatch(/^Redis at (mymaster|other) \(sentinels 127.0.0.1:1, 127.0.0.1:\d+\) /)
  expect(sentence).toContain(part)
})

test.each([0, 1, 3, 10, 30])(
  'closed after %i ms, nothing stays connected',
  async (milliseconds) => {
    const before = await connections()
    const redis = createRedis(url(), quiet)
    redis.connect().catch(() => {})
    await setTimeout(milliseconds)
    redis.disconnect()
    await setTimeout(100)
    await expect.poll(connections, { timeout: 5000 }).toBe(before)
    await expect(redis.commands.get('identity:a')).rejects.toThrow()
  },
)

test('through failovers answers go on, and whoever is removed is removed', async () => {
  const told = vi.fn()
  const roles = new CountingRoles()
  const prefix = 'identity:'
  const cache = new RedisPermissionCache(createRedis(url(), { ...quiet, onTrouble: told }), {
    ...quiet,
    prefix,
    ttlSeconds: 300,
    version: 'v1',
  })
  const service = new CachingPermissionService({
    roles,
    cache,
    trust: new Trust({ continuous: false }),
    definitions: defaultRoleDefinitions,
    dynamic: false,
  })
  const changed = vi.fn()
  const announcements = new RedisAnnouncements(createRedis(url(), quiet), {
    prefix,
    listener: { changed } as never,
  })
  const announcerTold = vi.fn()
  const announcer = new Announcer({
    redisUrl: url().replace('gateway', 'better-auth'),
    redisSentinelPassword: sentinelPassword,
    keyPrefix: prefix,
    onTrouble: announcerTold,
  })
  onTestFinished(async () => {
    announcer.close()
    await announcements.close()
    await cache.close()
  })
  await expect.poll(() => cache.ready(), { timeout: 5000 }).toBe(true)
  told.mockClear()

  const find = async (subject: ReturnType<typeof someone>) =>
    (await service.resolve([subject], 'CACHED'))[0]
  const isCached = async (subject: ReturnType<typeof someone>) => {
    await find(subject)
    return (await find(subject))?.source === 'CACHE'
  }
  const removed = someone()
  for (const failOver of [
    () => admins[2]?.call('SENTINEL', 'FAILOVER', 'mymaster'),
    async () => (await primary()).kill(),
  ]) {
    roles.role = 'owner'
    await cache.invalidate(removed)
    await expect.poll(() => isCached(removed), { timeout: 5000 }).toBe(true)
    const old = (await primary()).port
    await failOver()
    roles.role = 'admin'
    for (let asked = 0; asked < 100; asked++) {
      expect(await find(someone())).toMatchObject({ roles: ['admin'] })
      await setTimeout(20)
    }
    await expect.poll(async () => (await primary()).port, { timeout: 20_000 }).not.toBe(old)
    await expect.poll(() => isCached(someone()), { timeout: 20_000 }).toBe(true)

    roles.role = null
    changed.mockClear()
    announcer.announce({ userId: removed.userId })
    await expect.poll(async () => (await find(removed))?.member, { timeout: 5000 }).toBe(false)
    await vi.waitFor(
      () => {
        announcer.announce({ userId: 'ada' })
        expect(changed).toHaveBeenCalledWith({ userId: 'ada' })
      },
      { timeout: 15_000, interval: 200 },
    )
  }
  expect(String(announcerTold.mock.calls)).not.toContain('NOPERM')
  // Once for each of the two, as far as an end of a connection that is at once made again is any.
  expect(told.mock.calls.length).toBeLessThanOrEqual(2)
}, 90_000)

async function primary(): Promise<RedisProcess> {
  const address = await admins[2]?.call('SENTINEL', 'GET-MASTER-ADDR-BY-NAME', 'mymaster')
  const found = servers.find(({ port }) => String(port) === String((address as string[])[1]))
  if (!found) throw new Error('The sentinel names a stranger.')
  return found
}

/** Of others than administrators, at the servers and the sentinel. */
async function connections(): Promise<number> {
  const lists = await Promise.all(admins.map((admin) => admin.client('LIST')))
  const users =
    lists
      .slice(0, 2)
      .join('')
      .match(/user=gateway/g) ?? []
  return users.length + String(lists[2]).trim().split('\n').length
}

function adminOf(url: string, password: string): Redis {
  const admin = new Redis(url, { password })
  admin.on('error', () => {})
  admins.push(admin)
  return admin
}
