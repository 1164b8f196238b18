import { createServer } from 'node:http'
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import { close, listen } from '../../src/demo/ports.ts'
import { codesOf } from '../support/codes.ts'
import type { GatewayUnderTest } from '../support/gateway.ts'
import { useRedis } from '../support/redis.ts'
import { recordStatements } from '../support/sql-log.ts'
import { world } from '../support/world.ts'
import { countRedisTurns } from './check-permissions/redis-turns.ts'

const rolesOfBob = ['approver', 'member', 'auditor,approver', 'unknown', 'owner']

const { gatewayWith, identity, services, ada, bob, carol, eve, root, acme, evil } = await world({
  own: true,
})
const redis = await countRedisTurns(useRedis().url)
let gateway: GatewayUnderTest

beforeAll(async () => {
  await identity.sql(
    `insert into organizations (id, name, slug, created_at)
     select 'many-' || i, 'Many', 'many-' || i, now() from generate_series(0, 99) i`,
  )
  await identity.sql(
    `insert into members (id, organization_id, user_id, role, created_at)
     select 'bob-' || i, 'many-' || i, $1, ($2::text[])[1 + i % 5], now()
     from generate_series(0, 99) i`,
    [bob.id, rolesOfBob],
  )
  gateway = await startGateway()
})

afterAll(() => redis.stop())

afterEach(() => {
  vi.useRealTimers()
})

/** With a cache that holds nothing but what Ada may do, connected, and after it has read the signing keys. */
async function startGateway(environment: Record<string, string> = {}): Promise<GatewayUnderTest> {
  const started = gatewayWith({
    REDIS_URL: redis.url,
    REDIS_KEY_PREFIX: useRedis().prefix,
    REDIS_TIMEOUT_MS: '20000',
    DATABASE_STATEMENT_TIMEOUT_MS: '20000',
    ...environment,
  })
  for (const token of await Promise.all([ada.jwt(), services.token()]))
    await started.graphql('{ viewer { id } }', { token })
  const token = await ada.jwt()
  await vi.waitFor(async () => {
    const { data } = await check([inAcme(ada)], token, 'CACHED', started)
    expect(data.checkPermissions).toMatchObject([{ source: 'CACHE' }])
  }, 10_000)
  return started
}

interface Check {
  readonly permission: string
  readonly organizationId: string
  readonly userId?: string
}

const leave = 'leave:approve'
const inAcme = ({ id }: { id: string }): Check => ({
  permission: leave,
  organizationId: acme.id,
  userId: id,
})
const inEvil = ({ id }: { id: string }): Check => ({ ...inAcme({ id }), organizationId: evil.id })

function check(
  checks: readonly Check[],
  token: string | undefined,
  consistency: 'CACHED' | 'FRESH' = 'CACHED',
  asked = gateway,
) {
  return asked.graphql(
    `query ($checks: [PermissionCheckInput!]!, $consistency: Consistency!) {
      checkPermissions(checks: $checks, consistency: $consistency) {
        allowed permission organizationId userId roles source resolvedAt } }`,
    { token, variables: { checks, consistency } },
  )
}

describe('a hundred questions about a hundred organizations', () => {
  const everywhere = Array.from({ length: 100 }, (_, i) => ({
    permission: leave,
    organizationId: `many-${(i * 37) % 100}`,
  }))
  const expected = everywhere.map(({ organizationId }) => {
    const roles = rolesOfBob[Number(organizationId.slice(5)) % 5]?.split(',') ?? []
    return {
      organizationId,
      permission: leave,
      roles,
      allowed: roles.includes('approver') || roles.includes('owner'),
    }
  })

  interface Cost {
    readonly sql: number
    readonly redisReads: number
  }

  /** Asks as Bob, or as a service about him. Everything that the answers rest on is right. */
  async function ask(
    { consistency, by }: { consistency: 'CACHED' | 'FRESH'; by: 'bob' | 'a service' },
    source: string,
  ): Promise<Cost> {
    const token = by === 'bob' ? await bob.jwt() : await services.token('permissions:check')
    const checks = everywhere.map((each) => (by === 'bob' ? each : { ...each, userId: bob.id }))
    redis.turns.length = 0
    const sql = await recordStatements(identity.database.name, async () => {
      const { data, errors } = await check(checks, token, consistency)
      expect(errors).toEqual([])
      expect(data.checkPermissions).toEqual(
        expected.map((each) => ({
          ...each,
          userId: bob.id,
          source,
          resolvedAt: expect.any(String),
        })),
      )
    })
    const redisReads = redis.turns.filter((turn) => /\r\nm?get\r\n/i.test(turn)).length
    return { sql: sql.length, redisReads }
  }

  test.each(['bob', 'a service'] as const)(
    'cost one round trip to Redis and one statement when cold, no statement when warm: as %s',
    async (by) => {
      await gateway.close()
      gateway = await startGateway()
      const cold = await ask({ consistency: 'CACHED', by }, 'DATABASE')
      expect(cold).toEqual({ sql: 1, redisReads: 1 })
      await vi.waitFor(async () => ask({ consistency: 'CACHED', by }, 'CACHE'))
      const warm = await ask({ consistency: 'CACHED', by }, 'CACHE')
      expect(warm).toEqual({ sql: 0, redisReads: 1 })
      const fresh = await ask({ consistency: 'FRESH', by }, 'DATABASE')
      expect(fresh).toEqual({ sql: 1, redisReads: 1 })
      process.stdout.write(
        `measured: 100 checks as ${by}: ${JSON.stringify({ cold, warm, fresh })}\n`,
      )
    },
  )

  test('are too many with one more organization, and not with further questions about the same', async () => {
    const token = await bob.jwt()
    const one = { permission: 'leave:approve', organizationId: acme.id }
    const answer = await check([...everywhere, one], token)
    expect(codesOf(answer)).toEqual({ checkPermissions: 'BAD_USER_INPUT' })
    const others = everywhere.map((asked) => ({ ...asked, permission: 'report:read' }))
    const { data, errors } = await check([...everywhere, ...others, ...everywhere], token)
    expect(errors).toEqual([])
    expect(data.checkPermissions).toHaveLength(300)
    const thousands = await check(
      Array.from({ length: 301 }, () => one),
      token,
    )
    expect(codesOf(thousands)).toEqual({ checkPermissions: 'BAD_USER_INPUT' })
    const none = await check([], token)
    expect(none).toMatchObject({ data: { checkPermissions: [] }, errors: [] })
  })

  test('are answered one by one where the same is asked twice', async () => {
    const [first] = everywhere
    const other = { permission: 'report:read', organizationId: first?.organizationId ?? '' }
    const checks = [first, other, first].filter((each) => each !== undefined)
    const { data } = await check(checks, await bob.jwt(), 'FRESH')
    expect(data.checkPermissions).toMatchObject([
      { allowed: true, permission: leave },
      { allowed: false, permission: 'report:read' },
      { allowed: true, permission: leave },
    ])
  })
})

test('an answer says when the members table was read, by the clock of the database', async () => {
  const token = await bob.jwt()
  const now = async () =>
    (
      await identity.sql<{ now: Date }>("select date_trunc('milliseconds', clock_timestamp()) now")
    )[0]?.now ?? new Date(Number.NaN)
  const before = await now()
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 120_000 })
  const [read] = (await check([inAcme(bob)], token, 'FRESH')).data.checkPermissions
  const after = await now()
  expect(read).toMatchObject({ source: 'DATABASE', roles: ['member', 'approver'] })
  expect(Date.parse(read.resolvedAt)).toBeGreaterThanOrEqual(before.getTime())
  expect(Date.parse(read.resolvedAt)).toBeLessThanOrEqual(after.getTime())
  await expect
    .poll(async () => (await check([inAcme(bob)], token)).data.checkPermissions)
    .toMatchObject([{ source: 'CACHE', resolvedAt: read.resolvedAt, roles: read.roles }])
})

describe('who is told about whom:', () => {
  const nobody = { id: 'nobody' }
  const told = (roles: string[]) => ({ allowed: true, roles })
  const denied = (roles: string[]) => ({ allowed: false, roles })
  const nothing = denied([])

  const asAda = (): [Check, object][] => [
    [{ permission: leave, organizationId: acme.id }, told(['owner'])],
    [inAcme(ada), told(['owner'])],
    [inAcme(bob), told(['member', 'approver'])],
    [inAcme(carol), denied(['member'])],
    [inAcme(eve), nothing],
    [inAcme(nobody), nothing],
    [inEvil(ada), nothing],
    [inEvil(eve), nothing],
    [inEvil(nobody), nothing],
    [{ ...inEvil(eve), organizationId: 'nowhere' }, nothing],
    [{ permission: leave, organizationId: 'many-0', userId: bob.id }, nothing],
  ]
  const asEverybody = (): [Check, object][] => [
    [inAcme(ada), told(['owner'])],
    [inAcme(bob), told(['member', 'approver'])],
    [inAcme(carol), denied(['member'])],
    [inEvil(eve), told(['owner'])],
    [inEvil(ada), nothing],
    [inEvil(nobody), nothing],
    [{ ...inEvil(eve), organizationId: 'nowhere' }, nothing],
  ]

  test.each([
    ['a user: themself anywhere, others where they belong', () => ada.jwt(), asAda],
    ['a platform admin: everybody', () => root.jwt(), asEverybody],
    ['a service: everybody', () => services.token('permissions:check'), asEverybody],
  ])('%s', async (_who, tokenOf, casesOf) => {
    const cases = casesOf()
    const checks = cases.map(([question]) => question)
    for (const consistency of ['CACHED', 'FRESH', 'CACHED'] as const) {
      const { data, errors } = await check(checks, await tokenOf(), consistency)
      expect(errors).toEqual([])
      expect(data.checkPermissions).toMatchObject(cases.map(([, answer]) => answer))
    }
  })

  test('whom one may not be told about looks like nobody', async () => {
    const token = await ada.jwt()
    for (const consistency of ['CACHED', 'FRESH'] as const) {
      const { data } = await check([inEvil(eve), inEvil(nobody)], token, consistency)
      const [someone, absent] = data.checkPermissions
      expect({ ...someone, userId: '' }).toEqual({ ...absent, userId: '' })
    }
  })

  test('an empty id is refused', async () => {
    const answer = await check([inAcme({ id: '' })], await services.token())
    expect(answer.errors.map(({ extensions }) => extensions.code)).toEqual(['BAD_USER_INPUT'])
  })

  test('one who was banned is not answered, and is told of as one without permissions', async () => {
    const person = await identity.signUp('Soon banned')
    await identity.addMember(acme, person, 'approver')
    const token = await person.jwt()
    expect((await check([inAcme(person)], token)).data.checkPermissions).toMatchObject([
      told(['approver']),
    ])
    await identity.sql('update users set banned = true where id = $1', [person.id])
    expect(codesOf(await check([inAcme(ada)], token, 'FRESH'))).toEqual({
      checkPermissions: 'UNAUTHENTICATED',
    })
    const { data } = await check([inAcme(person)], await ada.jwt(), 'FRESH')
    expect(data.checkPermissions).toMatchObject([denied(['approver'])])
  })
})

describe('a thousand questions at the same time about one whose answer nobody has read yet', () => {
  test.each([
    ['Redis', () => ({})],
    ['the process', () => ({ REDIS_URL: '' })],
  ])('are one statement, with a cache in %s', async (cache, environment) => {
    const asked = await startGateway(environment())
    const server = createServer(asked.node)
    const port = await listen(server, 0, '127.0.0.1')
    const token = await bob.jwt()
    const question = async () => {
      const response = await fetch(`http://127.0.0.1:${port}/graphql`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
        body: JSON.stringify({
          query: `{ can(permission: "${leave}", organizationId: "many-2") }`,
        }),
      })
      return response.json()
    }
    const begun = performance.now()
    const sql = await recordStatements(identity.database.name, async () => {
      // So that the first of them is not answered before most others have been asked.
      void identity.sql('begin; lock table members; select pg_sleep(2); commit')
      const answers = await Promise.all(Array.from({ length: 1000 }, question))
      expect(answers).toEqual(answers.map(() => ({ data: { can: true } })))
    })
    const took = performance.now() - begun
    process.stdout.write(
      `measured: 1000 concurrent can with a cache in ${cache}: ${sql.length} SQL in ${took.toFixed()} ms\n`,
    )
    expect(sql).toHaveLength(1)
    server.closeAllConnections()
    await close(server)
    await asked.close()
  })
})
