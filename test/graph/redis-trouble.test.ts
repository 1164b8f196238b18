import { expect, test } from 'vitest'
import type { GatewayUnderTest } from '../support/gateway.ts'
import { type RedisProcess, startRedisProcess } from '../support/redis-process.ts'
import { world } from '../support/world.ts'

const TIMEOUT_MS = 100
/** For everything but Redis, on a machine that is busy with other tests. */
const MARGIN_MS = 400
const REQUESTS = 120

const { identity, gatewayWith, ada, bob, carol, rita, ivy, ines, acme } = await world({ own: true })
await identity.addMember(acme, rita, 'approver')
await identity.addMember(acme, ivy, 'member')
await identity.addMember(acme, ines, 'approver')
const people = await Promise.all(
  [ada, bob, carol, rita, ivy, ines].map(async (person) => ({
    person,
    token: await person.jwt(),
    approver: person !== carol && person !== ivy,
  })),
)

const harms: Record<string, (redis: RedisProcess) => unknown> = {
  'never there': (redis) => redis.kill(),
  hung: (redis) => redis.hang(),
  killed: (redis) => redis.kill(),
}

test.each(Object.keys(harms))(
  'with a Redis that is %s every answer is right and comes in bounded time',
  async (harm) => {
    const redis = await startRedisProcess()
    if (harm === 'never there') await redis.kill()
    const gateway = gatewayWith({
      REDIS_URL: redis.url,
      REDIS_TIMEOUT_MS: String(TIMEOUT_MS),
    })
    try {
      await askOnce(gateway, 0)
      const waits: number[] = []
      for (let i = 0; i < REQUESTS; i++) {
        if (i === REQUESTS / 3) await harms[harm]?.(redis)
        waits.push(await askOnce(gateway, i))
      }
      const longest = Math.max(...waits)
      process.stdout.write(
        `Redis ${harm}: the longest of ${REQUESTS} waits ${longest.toFixed()} ms\n`,
      )
      expect(longest).toBeLessThan(TIMEOUT_MS + MARGIN_MS)
      const slow = waits.filter((wait) => wait > TIMEOUT_MS)
      expect(slow.length).toBeLessThan(REQUESTS / 4)
    } finally {
      await redis.kill()
      await gateway.close()
    }
  },
)

test('a Redis that hangs is told of with why, and that it answers again', async () => {
  const redis = await startRedisProcess()
  const gateway = gatewayWith({ REDIS_URL: redis.url, REDIS_TIMEOUT_MS: String(TIMEOUT_MS) })
  const told = async () => {
    await askOnce(gateway, 0)
    return gateway.logged.join()
  }
  try {
    redis.hang()
    await expect
      .poll(told, { timeout: 10_000 })
      .toContain(`in trouble. Redis at ${new URL(redis.url).host} does not answer in time`)
    redis.resume()
    await expect.poll(told, { timeout: 10_000 }).toMatch(/Redis answers (reads |writes )?again\./)
  } finally {
    await redis.kill()
    await gateway.close()
  }
})

/** One person asks about another; answers how long that took, in milliseconds. */
async function askOnce(gateway: GatewayUnderTest, i: number): Promise<number> {
  const [asking, about] = [people[i % people.length], people[(i + 1) % people.length]]
  const begun = performance.now()
  const answer = await gateway.graphql(
    `query ($organizationId: ID!, $userId: ID!) {
      own: can(permission: "leave:approve", organizationId: $organizationId)
      other: can(permission: "leave:approve", organizationId: $organizationId, userId: $userId)
      fresh: can(permission: "leave:approve", organizationId: $organizationId, consistency: FRESH)
      foreign: can(permission: "leave:approve", organizationId: "absent") }`,
    {
      token: asking?.token,
      variables: { organizationId: acme.id, userId: about?.person.id },
    },
  )
  expect(answer.errors).toEqual([])
  expect(answer.data).toEqual({
    own: asking?.approver,
    other: about?.approver,
    fresh: asking?.approver,
    foreign: false,
  })
  return performance.now() - begun
}
