import { Redis } from 'ioredis'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { RedisPermissionCache } from '../../src/permissions/redis-cache.ts'
import { createRedis } from '../../src/redis/client.ts'
import { type GatewayUnderTest, gatewayFor } from '../support/gateway.ts'
import { type Identity, type Person, startIdentity } from '../support/identity.ts'
import { type RedisProcess, startRedisProcess } from '../support/redis-process.ts'
import { type ServiceIssuer, startServiceIssuer } from '../support/tokens.ts'
import { History } from './support/history.ts'
import { type Measured, type Outcome, underLoad } from './support/load.ts'

const organizationId = 'acme'
/** Their roles are changed by SQL, but for the first few, whose roles Better Auth changes. */
const PEOPLE = 40
const THROUGH_BETTER_AUTH = 8
const TTL_SECONDS = 1
/** How much the clocks of a database and a gateway on one machine can be apart by rounding. */
const ROUNDING_MS = 5
const ASKERS = 50

let identity: Identity
let services: ServiceIssuer
let owner: Person

beforeAll(async () => {
  identity = await startIdentity()
  services = await startServiceIssuer()
  owner = await identity.signUp('Owner')
  await identity.sql(
    "insert into organizations (id, name, slug, created_at) values ($1, 'Acme', 'acme', now())",
    [organizationId],
  )
  await identity.sql(
    `insert into users (id, name, email, email_verified, created_at, updated_at)
       select 'user-' || i, 'User ' || i, i || '@example.com', true, now(), now()
       from generate_series(1, $1) i`,
    [PEOPLE],
  )
  await identity.sql(
    `insert into members (id, organization_id, user_id, role, created_at)
       select 'owner', $1, $2, 'owner', now()
       union all select 'member-' || id, $1, id, 'member', now() from users where id like 'user-%'`,
    [organizationId, owner.id],
  )
})

afterAll(async () => {
  await services.stop()
  await identity.stop()
})

function startGateway(redisUrl: string, ttlSeconds: number): GatewayUnderTest {
  return gatewayFor(identity, {
    DATABASE_POOL_SIZE: '10',
    ...services.environment,
    REDIS_URL: redisUrl,
    REDIS_TIMEOUT_MS: '250',
    PERMISSION_CACHE_TTL_SECONDS: String(ttlSeconds),
  })
}

interface Decision {
  readonly allowed: boolean
  readonly source: 'CACHE' | 'DATABASE'
}

/** Whether these may approve leave, or why that was not answered. */
async function check(
  gateway: GatewayUnderTest,
  token: string,
  subjects: readonly { readonly userId: string; readonly organizationId: string }[],
  consistency: 'CACHED' | 'FRESH',
): Promise<readonly Decision[] | string> {
  const { data, errors } = await gateway.graphql(
    `query ($checks: [PermissionCheckInput!]!, $consistency: Consistency!) {
      checkPermissions(checks: $checks, consistency: $consistency) { allowed source } }`,
    {
      token,
      variables: {
        checks: subjects.map((subject) => ({ ...subject, permission: 'leave:approve' })),
        consistency,
      },
    },
  )
  return errors.length > 0 ? JSON.stringify(errors) : data.checkPermissions
}

test('a Redis that is killed, hung or full makes no answer wrong and no request fail', async () => {
  const settings = ['--maxmemory-policy', 'noeviction']
  let redis = await startRedisProcess({ settings })
  const gateway = startGateway(redis.url, TTL_SECONDS)
  const token = await services.token('permissions:check')
  const histories = new Map(
    Array.from({ length: PEOPLE }, (_, i) => [`user-${i + 1}`, new History(false)]),
  )
  const userIds = [...histories.keys()]
  let asked = 0

  const ask = async (): Promise<Outcome> => {
    asked += 1
    const number = asked % PEOPLE
    const userId = userIds[number] ?? ''
    // Who is asked about with FRESH has a young grant in the cache; so a third is never asked about like that.
    const kind = number % 3 === 2 ? Math.floor(asked / PEOPLE) % 2 : number % 3
    const consistency = kind === 0 ? 'CACHED' : 'FRESH'
    const begun = Date.now()
    const answer = await check(gateway, token, [{ userId, organizationId }], consistency)
    const [decision] = typeof answer === 'string' ? [] : answer
    if (!decision) return { cached: false, wrong: `${answer}` }
    const age = consistency === 'FRESH' ? 0 : TTL_SECONDS * 1000
    const since = begun - age - ROUNDING_MS
    const possible = histories.get(userId)?.wasPossible(decision.allowed, since, Date.now())
    return {
      cached: decision.source === 'CACHE',
      wrong: possible ? null : `${consistency} ${JSON.stringify(decision)} for ${userId}`,
    }
  }

  const changes = { count: 0, going: true }
  const keepChanging = async (ids: readonly string[], change: typeof changeBySql) => {
    for (let turn = 0; changes.going; turn++) {
      const userId = ids[turn % ids.length] ?? ''
      const role = [null, 'approver', 'member', 'member,approver'][(turn * 7 + 1) % 4] ?? null
      const allowed = role?.includes('approver') ?? false
      await histories.get(userId)?.change(allowed, () => change(userId, role))
      changes.count += 1
      await new Promise((resolve) => setTimeout(resolve, 10))
    }
  }
  const changing = [
    keepChanging(userIds.slice(0, THROUGH_BETTER_AUTH), changeByBetterAuth),
    keepChanging(userIds.slice(THROUGH_BETTER_AUTH), changeBySql),
  ]

  const phases: [string, () => unknown, number, 'cached' | 'not cached' | 'either'][] = [
    ['healthy', () => {}, 8, 'cached'],
    ['killed', () => redis.kill(), 8, 'not cached'],
    [
      'back',
      async () => {
        redis = await startRedisProcess({ port: redis.port, settings })
      },
      8,
      'cached',
    ],
    ['hung', () => redis.hang(), 8, 'either'],
    ['awake', () => redis.resume(), 8, 'cached'],
    ['full', () => setMemory(redis, '1'), 8, 'either'],
    ['roomy', () => setMemory(redis, '0'), 8, 'cached'],
  ]
  try {
    for (const [phase, begin, seconds, use] of phases) {
      // Under load already when the trouble begins.
      const load = underLoad({ askers: ASKERS, milliseconds: seconds * 1000 }, ask)
      await begin()
      const measured: Measured = await load
      process.stdout.write(`measured: Redis ${phase}: ${JSON.stringify(measured)}\n`)
      expect(measured.wrong).toEqual([])
      expect(measured.requests).toBeGreaterThan(ASKERS)
      if (use === 'cached') expect(measured.cached).toBeGreaterThan(measured.requests / 50)
      if (use === 'not cached') expect(measured.cached).toBeLessThan(measured.requests / 50)
    }
    process.stdout.write(`measured: roles were changed ${changes.count} times meanwhile\n`)
  } finally {
    changes.going = false
    await Promise.all(changing)
    await gateway.close()
    await redis.kill()
  }
})

/** `null`: not a member for now. */
async function changeBySql(userId: string, role: string | null): Promise<void> {
  if (role === null) await identity.sql('delete from members where user_id = $1', [userId])
  else
    await identity.sql(
      `insert into members (id, organization_id, user_id, role, created_at)
         values ('member-' || $2, $1, $2, $3, now())
         on conflict (id) do update set role = excluded.role`,
      [organizationId, userId, role],
    )
}

async function changeByBetterAuth(userId: string, role: string | null): Promise<void> {
  await identity.betterAuth.auth.api.updateMemberRole({
    body: { organizationId, memberId: `member-${userId}`, role: role?.split(',') ?? ['auditor'] },
    headers: owner.headers,
  })
}

async function setMemory(redis: RedisProcess, bytes: string): Promise<void> {
  const client = new Redis(redis.url)
  await client.config('SET', 'maxmemory', bytes)
  client.disconnect()
}

describe.each(['yes', 'no'])(
  'a Redis Cluster of three nodes, with full coverage: %s',
  (coverage) => {
    let nodes: readonly RedisProcess[]
    let url: string
    let token: string
    const subjects = Array.from({ length: 60 }, (_, i) => ({
      userId: 'user-1',
      organizationId: `${coverage}-${i}`,
    }))

    beforeAll(async () => {
      token = await services.token('permissions:check')
      nodes = await startCluster(coverage)
      url = nodes.map((node) => node.url).join(',')
      await identity.sql(
        'insert into organizations (id, name, slug, created_at) select id, id, id, now() from unnest($1::text[]) id',
        [subjects.map((subject) => subject.organizationId)],
      )
      await identity.sql(
        `insert into members (id, organization_id, user_id, role, created_at)
         select id, id, 'user-1', 'approver', now() from unnest($1::text[]) id`,
        [subjects.map((subject) => subject.organizationId)],
      )
    })

    afterAll(async () => {
      await Promise.all(nodes.map((node) => node.kill()))
    })

    const setRoles = (role: string) =>
      identity.sql('update members set role = $1 where organization_id like $2', [
        role,
        `${coverage}-%`,
      ])
    const all = (allowed: boolean, source: string) => subjects.map(() => ({ allowed, source }))

    test('answers, keeps and invalidates grants on every node', async () => {
      const gateway = startGateway(url, 300)
      const ask = (consistency: 'CACHED' | 'FRESH') => check(gateway, token, subjects, consistency)
      expect(await ask('CACHED')).toEqual(all(true, 'DATABASE'))
      await vi.waitFor(async () => expect(await ask('CACHED')).toEqual(all(true, 'CACHE')), 10_000)
      for (const node of nodes) {
        const client = new Redis(node.url)
        expect(await client.dbsize()).toBeGreaterThan(0)
        client.disconnect()
      }

      await setRoles('member')
      expect(await ask('CACHED')).toEqual(all(true, 'CACHE'))
      const options = { timeoutMs: 2000, onTrouble: () => {} }
      const replica = new RedisPermissionCache(createRedis(url, options), {
        ...options,
        prefix: 'identity:',
        ttlSeconds: 300,
        version: 'another',
      })
      expect(await replica.ready()).toBe(true)
      await replica.invalidate({ organizationId: subjects[7]?.organizationId })
      expect(await ask('CACHED')).toEqual(
        all(true, 'CACHE').with(7, { allowed: false, source: 'DATABASE' }),
      )
      await replica.invalidate({ userId: 'user-1' })
      expect(await ask('CACHED')).toEqual(all(false, 'DATABASE'))
      await replica.close()
      await gateway.close()
    })

    test('answers rightly while and after a node is lost', async () => {
      const gateway = startGateway(url, TTL_SECONDS)
      await setRoles('approver')
      await vi.waitFor(async () => {
        expect(await check(gateway, token, subjects, 'FRESH')).toEqual(all(true, 'DATABASE'))
        expect(await check(gateway, token, subjects, 'CACHED')).toEqual(all(true, 'CACHE'))
      }, 10_000)
      const history = new History(true)
      const ask = (consistency: 'CACHED' | 'FRESH') => async () => {
        const begun = Date.now()
        const answer = await check(gateway, token, subjects, consistency)
        if (typeof answer === 'string') return { cached: false, wrong: answer }
        const since = begun - (consistency === 'FRESH' ? 0 : TTL_SECONDS * 1000) - ROUNDING_MS
        const possible = answer.every(({ allowed }) =>
          history.wasPossible(allowed, since, Date.now()),
        )
        return {
          cached: answer.some(({ source }) => source === 'CACHE'),
          wrong: possible ? null : `${consistency} ${JSON.stringify(answer)}`,
        }
      }
      const milliseconds = 8000
      const loads = [
        underLoad({ askers: 3, milliseconds }, ask('CACHED')),
        underLoad({ askers: 2, milliseconds }, ask('FRESH')),
      ]
      await nodes[1]?.kill()
      for (let turn = 0; turn < 12; turn++) {
        const allowed = turn % 2 === 1
        await history.change(allowed, () => setRoles(allowed ? 'approver' : 'member'))
        await new Promise((resolve) => setTimeout(resolve, 500))
      }
      for (const [index, measured] of (await Promise.all(loads)).entries()) {
        process.stdout.write(
          `measured: Cluster without a node, coverage ${coverage}, ${index === 0 ? 'CACHED' : 'FRESH'}: ${JSON.stringify(measured)}\n`,
        )
        expect(measured.wrong).toEqual([])
        expect(measured.requests).toBeGreaterThan(10)
      }
      await gateway.close()
    })
  },
)

async function startCluster(fullCoverage: string): Promise<readonly RedisProcess[]> {
  const words = ['--cluster-enabled', 'yes', '--cluster-node-timeout', '1000']
  const settings = [...words, '--cluster-require-full-coverage', fullCoverage]
  const nodes = await Promise.all([1, 2, 3].map(() => startRedisProcess({ settings })))
  const clients = nodes.map((node) => new Redis(node.url))
  const ends = [5460, 10_922, 16_383]
  for (const [index, client] of clients.entries()) {
    await client.cluster('ADDSLOTSRANGE', (ends[index - 1] ?? -1) + 1, ends[index] ?? 0)
    if (index > 0) await client.cluster('MEET', '127.0.0.1', nodes[0]?.port ?? 0)
  }
  for (const client of clients) {
    await vi.waitFor(
      async () => {
        const info = String(await client.cluster('INFO'))
        expect(info).toContain('cluster_state:ok')
        expect(info).toContain('cluster_known_nodes:3')
      },
      { timeout: 20_000, interval: 100 },
    )
    client.disconnect()
  }
  return nodes
}
