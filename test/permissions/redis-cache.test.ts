import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { RedisPermissionCache } from '../../src/permissions/redis-cache.ts'
import { createRedis, type RedisClient } from '../../src/redis/client.ts'
import { grantOf, permissionCacheContract, someone } from '../contract/permission-cache.ts'
import { useRedis } from '../support/redis.ts'

const epochs = { organization: '', user: '' }
const quiet = { timeoutMs: 2000, onTrouble: () => {} }

permissionCacheContract('RedisPermissionCache', async ({ ttlSeconds }) => {
  const { url, prefix } = useRedis()
  const client = createRedis(url, quiet)
  return new RedisPermissionCache(client, { ...quiet, prefix, ttlSeconds, version: 'v1' })
})

describe('grants in Redis', () => {
  const { url, prefix } = useRedis()
  let redis: RedisClient
  let cache: RedisPermissionCache
  const create = (version: string) =>
    new RedisPermissionCache(createRedis(url, quiet), {
      ...quiet,
      prefix,
      ttlSeconds: 300,
      version,
    })
  beforeAll(async () => {
    redis = createRedis(url, quiet)
    await redis.connect()
    cache = create('v1')
    await cache.ready()
  })
  afterAll(async () => {
    await Promise.all([cache.close(), redis.quit()])
  })

  test('of other role definitions are misses', async () => {
    const subject = someone()
    await cache.write([{ subject, grant: grantOf(), epochs }])
    const other = create('v2')
    await other.ready()
    expect((await other.read([subject], 'CACHED'))[0]?.grant).toBeUndefined()
    expect((await cache.read([subject], 'CACHED'))[0]?.grant).toBeDefined()
    await other.close()
  })

  test('are valid on every replica until any of them invalidates', async () => {
    const subject = someone()
    const replica = create('v1')
    await replica.ready()
    await cache.write([{ subject, grant: grantOf(), epochs }])
    expect((await replica.read([subject], 'CACHED'))[0]?.grant).toEqual(
      (await cache.read([subject], 'CACHED'))[0]?.grant,
    )
    await replica.invalidate({ userId: subject.userId })
    expect((await cache.read([subject], 'CACHED'))[0]?.grant).toBeUndefined()
    await replica.close()
  })

  test('asked for in one turn come with one round trip, to each asker their own', async () => {
    const trips: string[] = []
    const asked = new RedisPermissionCache(createRedis(url, quiet), {
      ...quiet,
      prefix,
      ttlSeconds: 300,
      version: 'v1',
      onAttempt: (of) => trips.push(of),
    })
    await asked.ready()
    const known = ['owner', 'admin', 'member'].map((role) => ({ subject: someone(), role }))
    await cache.write(
      known.map(({ subject, role }) => ({ subject, grant: grantOf({ roles: [role] }), epochs })),
    )
    const unknown = { subject: someone(), role: undefined }
    const questions = Array.from({ length: 60 }, (_, i) => [...known, unknown][i % 4] ?? unknown)
    const answers = await Promise.all(
      questions.map(({ subject }) => asked.read([subject], 'CACHED')),
    )
    expect(answers.map(([read]) => read?.grant?.roles[0])).toEqual(
      questions.map(({ role }) => role),
    )
    expect(trips).toEqual(['reads'])
    await asked.close()
  })

  test('live for their TTL under a readable key, strangers for 30 seconds, epochs twice as long', async () => {
    const member = { organizationId: 'o{1}', userId: 'u:1' }
    const stranger = { organizationId: 'o{1}', userId: 'u:2' }
    const denied = grantOf({ member: false, roles: [], permissions: [] })
    await cache.write([
      { subject: member, grant: grantOf(), epochs },
      { subject: stranger, grant: denied, epochs },
    ])
    await cache.invalidate(member)
    expect(await redis.commands.ttl(`${prefix}permissions:{o%7B1%7D}:u%3A1`)).toBeOneOf([299, 300])
    expect(await redis.commands.ttl(`${prefix}permissions:{o%7B1%7D}:u%3A2`)).toBeOneOf([29, 30])
    expect(await redis.commands.ttl(`${prefix}organization-epoch:{o%7B1%7D}`)).toBeOneOf([599, 600])
    expect(await redis.commands.ttl(`${prefix}user-epoch:{u%3A1}`)).toBeOneOf([599, 600])
  })

  const good = {
    version: 'v1',
    resolvedAt: Date.now(),
    organizationEpoch: '',
    userEpoch: '',
    active: true,
    member: true,
    roles: ['member'],
    permissions: ['ac:read'],
  }
  const store = async (text: string) => {
    const subject = someone()
    await redis.commands.set(
      `${prefix}permissions:{${subject.organizationId}}:${subject.userId}`,
      text,
    )
    return subject
  }

  test('are read when they are well-formed', async () => {
    const subject = await store(JSON.stringify(good))
    expect((await cache.read([subject], 'CACHED'))[0]?.grant?.permissions).toEqual(['ac:read'])
  })

  test.each([
    ['no JSON', '{'],
    ['empty', ''],
    ['null', 'null'],
    ['a list', '[]'],
    ['deep', '['.repeat(5000)],
    ['without roles', JSON.stringify({ ...good, roles: undefined })],
    ['with another field', JSON.stringify({ ...good, extra: 1 })],
    ['with permissions as text', JSON.stringify({ ...good, permissions: 'ac:read' })],
    ['with a time as text', JSON.stringify({ ...good, resolvedAt: 'now' })],
    ['with a time beyond dates', JSON.stringify({ ...good, resolvedAt: 1e300 })],
    ['with permissions of a stranger', JSON.stringify({ ...good, member: false, roles: [] })],
    ['with permissions of a banned member', JSON.stringify({ ...good, active: false })],
    ['with an unknown epoch', JSON.stringify({ ...good, userEpoch: 'other' })],
  ])('that are %s are misses', async (_what, text) => {
    const subject = await store(text)
    expect((await cache.read([subject], 'CACHED'))[0]).toEqual({ grant: undefined, epochs })
  })

  test.each(['{', 'null', '[]', '"text"', '['.repeat(5000), '{"resolvedAt":"9"}'])(
    'are written over the malformed %.12s',
    async (text) => {
      const subject = await store(text)
      await cache.write([{ subject, grant: grantOf(), epochs }])
      expect((await cache.read([subject], 'CACHED'))[0]?.grant).toBeDefined()
    },
  )
})
