import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import type { Subject } from '../../src/domain/permission.ts'
import type { CacheEntry, PermissionCache } from '../../src/permissions/cache.ts'
import { defaultRoleDefinitions } from '../../src/permissions/definitions.ts'
import { MemoryPermissionCache } from '../../src/permissions/memory-cache.ts'
import { RedisPermissionCache } from '../../src/permissions/redis-cache.ts'
import {
  CachingPermissionService,
  type CachingPermissionServiceOptions,
} from '../../src/permissions/service.ts'
import { Trust } from '../../src/permissions/trust.ts'
import { createRedis } from '../../src/redis/client.ts'
import { someone } from '../contract/permission-cache.ts'
import { useRedis } from '../support/redis.ts'
import { CountingRoles } from './counting-roles.ts'

const ttlSeconds = 300
const prefix = `test-${crypto.randomUUID()}:`

describe.each([
  ['MemoryPermissionCache', () => new MemoryPermissionCache({ ttlSeconds, maxEntries: 10_000 })],
  ['RedisPermissionCache', createRedisCache],
])('the permission service over a %s', (_name, createCache) => {
  let cache: PermissionCache
  let roles: CountingRoles
  let trust: Trust
  let service: CachingPermissionService
  let subject: Subject
  const onReads = vi.fn()

  beforeAll(async () => {
    cache = createCache()
    await cache.ready()
  })
  afterAll(() => cache.close())
  beforeEach(() => {
    roles = new CountingRoles()
    trust = new Trust({ continuous: false })
    onReads.mockClear()
    service = serviceOver(roles, cache, { trust, onReads })
    subject = someone()
  })

  const ask = async (consistency: 'CACHED' | 'FRESH' = 'CACHED') =>
    (await service.resolve([subject], consistency))[0]
  const begun = (count: number) => vi.waitFor(() => expect(roles.reads).toHaveLength(count))

  test('the second question is answered from the cache as the first was from the database', async () => {
    const first = await ask()
    expect(first).toMatchObject({ member: true, permissions: ['ac:read'], source: 'DATABASE' })
    expect(await ask()).toEqual({ ...first, source: 'CACHE' })
    expect(roles.reads).toHaveLength(1)
  })

  test('a non-member is a cached answer too', async () => {
    roles.role = null
    expect(await ask()).toMatchObject({ member: false, roles: [], permissions: [] })
    expect(await ask()).toMatchObject({ member: false, source: 'CACHE' })
  })

  test('many questions are one statement, each subject once, answers in order', async () => {
    const others = Array.from({ length: 50 }, someone)
    await ask()
    const grants = await service.resolve([...others, subject, ...others], 'CACHED')
    expect(roles.reads).toHaveLength(2)
    expect(roles.reads[1]?.subjects).toEqual(others)
    expect(grants.map((grant) => grant.source)).toEqual([
      ...others.map(() => 'DATABASE'),
      'CACHE',
      ...others.map(() => 'DATABASE'),
    ])
    expect(await service.resolve([], 'CACHED')).toEqual([])
  })

  test.each(['CACHED', 'FRESH'] as const)(
    '1,000 %s questions about one cold subject are one statement',
    async (consistency) => {
      const grants = await Promise.all(Array.from({ length: 1000 }, () => ask(consistency)))
      expect(roles.reads).toHaveLength(1)
      expect(new Set(grants.map((grant) => grant?.permissions.join()))).toEqual(
        new Set(['ac:read']),
      )
    },
  )

  test('questions that arrive while their statement runs are one statement', async () => {
    roles.held = true
    const answers = [ask()]
    await begun(1)
    for (let count = 0; count < 5; count++) answers.push(ask())
    await cache.read([subject], 'CACHED')
    roles.reads[0]?.release()
    await Promise.all(answers)
    expect(roles.reads).toHaveLength(1)
  })

  test('a subject under way and a new one make one more statement, for the new one', async () => {
    roles.held = true
    const first = ask()
    await begun(1)
    const other = someone()
    const both = service.resolve([subject, other], 'CACHED')
    await begun(2)
    expect(roles.reads[1]?.subjects).toEqual([other])
    for (const read of roles.reads) read.release()
    expect((await both)[0]).toEqual(await first)
  })

  test('FRESH sees what the cache does not, and later CACHED questions see it too', async () => {
    await ask()
    roles.role = 'owner'
    expect((await ask())?.roles).toEqual(['member'])
    expect(await ask('FRESH')).toMatchObject({ roles: ['owner'], source: 'DATABASE' })
    expect(await ask()).toMatchObject({ roles: ['owner'], source: 'CACHE' })
  })

  test.each(['CACHED', 'FRESH'] as const)(
    'FRESH never joins a %s flight that began before it',
    async (consistency) => {
      roles.held = true
      const early = ask(consistency)
      await begun(1)
      roles.role = 'owner'
      const fresh = ask('FRESH')
      await begun(2)
      for (const read of roles.reads) read.release()
      expect((await early)?.roles).toEqual(['member'])
      expect((await fresh)?.roles).toEqual(['owner'])
      expect((await ask())?.roles).toEqual(['owner'])
    },
  )

  test('a CACHED question joins the flight of a FRESH one', async () => {
    roles.held = true
    const fresh = ask('FRESH')
    await begun(1)
    const cached = ask()
    await cache.read([subject], 'CACHED')
    roles.reads[0]?.release()
    expect(await cached).toEqual(await fresh)
    expect(roles.reads).toHaveLength(1)
  })

  test('an older flight that ends last does not overwrite a newer one', async () => {
    roles.held = true
    const older = ask()
    await begun(1)
    roles.role = null
    const newer = ask('FRESH')
    await begun(2)
    roles.reads[1]?.release()
    await newer
    roles.reads[0]?.release()
    expect((await older)?.member).toBe(true)
    expect(await ask()).toMatchObject({ member: false, source: 'CACHE' })
  })

  test.each([
    ['organization', () => ({ organizationId: subject.organizationId })],
    ['user', () => ({ userId: subject.userId })],
  ])('after an event of the %s the cache is not believed', async (_what, target) => {
    await ask()
    roles.role = null
    await service.invalidate(target())
    expect(await ask()).toMatchObject({ member: false, source: 'DATABASE' })
  })

  test('an event during a flight wins over it', async () => {
    roles.held = true
    const overtaken = ask()
    await begun(1)
    roles.role = null
    await service.invalidate({ userId: subject.userId })
    roles.reads[0]?.release()
    expect((await overtaken)?.member).toBe(true)
    roles.held = false
    expect(await ask()).toMatchObject({ member: false, source: 'DATABASE' })
  })

  test('a question after an event does not join a flight of before it', async () => {
    roles.held = true
    const overtaken = ask()
    await begun(1)
    roles.role = null
    await service.invalidate({ organizationId: subject.organizationId })
    const later = ask()
    await begun(2)
    for (const read of roles.reads) read.release()
    expect((await overtaken)?.member).toBe(true)
    expect((await later)?.member).toBe(false)
    expect(await ask()).toMatchObject({ member: false, source: 'CACHE' })
  })

  test('an event that only the cache heard of keeps later questions off earlier flights', async () => {
    roles.held = true
    const overtaken = ask()
    await begun(1)
    roles.role = null
    await cache.invalidate({ userId: subject.userId })
    const later = ask()
    await begun(2)
    for (const read of roles.reads) read.release()
    expect((await overtaken)?.member).toBe(true)
    expect((await later)?.member).toBe(false)
  })

  test('a grant that is not believed is read anew, and what was read is kept', async () => {
    await vi.waitFor(async () => expect((await ask())?.source).toBe('CACHE'))
    roles.role = 'owner'
    trust.settled = false
    expect(await ask()).toMatchObject({ roles: ['owner'], source: 'DATABASE' })
    trust.settled = true
    expect(await ask()).toMatchObject({ roles: ['owner'], source: 'CACHE' })
  })

  test('what the cache answered is counted, of CACHED questions alone', async () => {
    await ask()
    await service.resolve([subject, someone(), subject], 'CACHED')
    trust.settled = false
    await ask()
    await ask('FRESH')
    await service.resolve([], 'CACHED')
    expect(onReads.mock.calls).toEqual([
      [0, 1],
      [1, 1],
      [0, 1],
    ])
  })

  test('a failing database fails those who need it, alone, and nothing of it is kept', async () => {
    const known = someone()
    await service.resolve([known], 'CACHED')
    roles.held = true
    const failing = [ask(), ask(), ask('FRESH')]
    await begun(2)
    const hit = service.resolve([known], 'CACHED')
    await cache.read([subject], 'FRESH')
    for (const read of roles.reads.slice(1)) read.fail(new Error('the database is gone'))
    for (const outcome of await Promise.allSettled(failing)) expect(outcome.status).toBe('rejected')
    expect((await hit)[0]?.source).toBe('CACHE')
    roles.held = false
    expect(await ask()).toMatchObject({ member: true, source: 'DATABASE' })
  })

  test('dynamic roles count in their own organization, when they are switched on', async () => {
    const colleague = { ...someone(), organizationId: subject.organizationId }
    roles.dynamicRoles = new Map([
      [subject.organizationId, [{ role: 'member', permission: '{"leave":["request"]}' }]],
    ])
    const dynamic = serviceOver(roles, cache, { dynamic: true })
    const grants = await dynamic.resolve([subject, colleague, someone()], 'FRESH')
    expect(grants.map((grant) => grant.permissions)).toEqual([
      ['ac:read', 'leave:request'],
      ['ac:read', 'leave:request'],
      ['ac:read'],
    ])
    expect((await ask('FRESH'))?.permissions).toEqual(['ac:read'])
  })
})

describe('a cache that is slow to write', () => {
  test('keeps nobody waiting, and no cold subject is read twice meanwhile', async () => {
    const cache = new SlowlyWritten({ ttlSeconds, maxEntries: 100 })
    const roles = new CountingRoles()
    const service = serviceOver(roles, cache)
    const subject = someone()
    await service.resolve([subject], 'CACHED')
    await service.resolve([subject], 'CACHED')
    expect(roles.reads).toHaveLength(1)
    cache.finishWriting()
    await vi.waitFor(async () => {
      const [grant] = await service.resolve([subject], 'CACHED')
      expect(grant?.source).toBe('CACHE')
    })
    expect(roles.reads).toHaveLength(1)
  })
})

describe('two gateways on one Redis', () => {
  test('an event at one wins over a flight at the other', async () => {
    const roles = new CountingRoles()
    const caches = [createRedisCache(), createRedisCache()]
    await Promise.all(caches.map((cache) => cache.ready()))
    const [here, there] = caches.map((cache) => serviceOver(roles, cache))
    const subject = someone()
    roles.held = true
    const overtaken = here?.resolve([subject], 'CACHED')
    await vi.waitFor(() => expect(roles.reads).toHaveLength(1))
    roles.role = null
    await there?.invalidate({ userId: subject.userId })
    roles.held = false
    roles.reads[0]?.release()
    await overtaken
    for (const gateway of [here, there]) {
      const answer = await gateway?.resolve([subject], 'CACHED')
      expect(answer?.[0]?.member).toBe(false)
    }
    await Promise.all(caches.map((cache) => cache.close()))
  })
})

class SlowlyWritten extends MemoryPermissionCache {
  #finish: () => void = () => {}
  readonly #finished = new Promise<void>((resolve) => {
    this.#finish = resolve
  })

  override async write(entries: readonly CacheEntry[]): Promise<void> {
    await this.#finished
    await super.write(entries)
  }

  finishWriting(): void {
    this.#finish()
  }
}

function serviceOver(
  roles: CountingRoles,
  cache: PermissionCache,
  options: Partial<CachingPermissionServiceOptions> = {},
) {
  return new CachingPermissionService({
    roles,
    cache,
    trust: new Trust({ continuous: false }),
    definitions: defaultRoleDefinitions,
    dynamic: false,
    ...options,
  })
}

function createRedisCache(): PermissionCache {
  const options = { timeoutMs: 2000, onTrouble: () => {} }
  const client = createRedis(useRedis().url, options)
  return new RedisPermissionCache(client, { ...options, prefix, ttlSeconds, version: 'v1' })
}
