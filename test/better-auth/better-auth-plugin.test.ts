import { Redis } from 'ioredis'
import { afterAll, expect, test } from 'vitest'
import { identityGateway } from '../../src/better-auth/better-auth-plugin.ts'
import { call, changes, createScene, delayOf, type Scene } from '../support/changes.ts'
import { startIdentity } from '../support/identity.ts'
import { useRedis } from '../support/redis.ts'
import { type RedisProcess, startRedisProcess } from '../support/redis-process.ts'
import { world } from '../support/world.ts'

const { url, prefix } = useRedis()
const plugin = identityGateway({ redisUrl: url, keyPrefix: prefix })
const { gatewayWith, identity, services, root } = await world({ betterAuth: { plugins: [plugin] } })
const scene: Scene = { identity, admin: root }
/** One that listens and one that only shares the Redis. */
const gateways = ['redis', 'off'].map((PERMISSION_EVENTS) =>
  gatewayWith({
    PERMISSION_EVENTS,
    REDIS_URL: url,
    REDIS_KEY_PREFIX: prefix,
    REDIS_TIMEOUT_MS: '2000',
  }),
)

afterAll(() => plugin.close())

test.each(Object.entries(changes))('%s is seen at once by every gateway', async (name, change) => {
  const delayMs = await delayOf(scene, change, gateways, await services.token())
  process.stdout.write(`measured: ${name}, told by the plug-in: ${delayMs.toFixed(1)} ms\n`)
  expect(delayMs).toBeLessThan(2000)
})

test('a change that Better Auth refuses is not told', async () => {
  const organization = await scene.identity.createOrganization(scene.admin, 'Refusing')
  const outsider = await scene.identity.signUp('Outsider')
  await expect(
    call(scene, outsider, '/organization/delete', { organizationId: organization.id }),
  ).rejects.toThrow('/organization/delete')
  const client = new Redis(url)
  expect(await client.exists(`${prefix}organization-epoch:{${organization.id}}`)).toBe(0)
  await client.quit()
})

const CHANGES = 100

test.each(['hung', 'killed'])(
  'with a Redis that is %s all role changes succeed, in time',
  async (harm) => {
    const redis = await startRedisProcess()
    const own = identityGateway({ redisUrl: redis.url })
    const troubled = await createScene(await startIdentity({ plugins: [own] }))
    try {
      const before = await changeRoles(troubled, 'before')
      await harmRedis(redis, harm)
      const during = await changeRoles(troubled, 'during')
      process.stdout.write(
        `measured: ${CHANGES} role changes, median and longest: ${before} ms, with Redis ${harm}: ${during} ms\n`,
      )
      expect(during.median).toBeLessThan(before.median + 20)
      expect(during.longest).toBeLessThan(before.longest + 500)
    } finally {
      own.close()
      await redis.kill()
      await troubled.identity.stop()
    }
  },
  // Two hundred changes: seconds when the machine is idle, many more when it is not.
  120_000,
)

test('what changed while Redis was away is told when it is back', async () => {
  const redis = await startRedisProcess()
  const own = identityGateway({ redisUrl: redis.url })
  const troubled = await createScene(await startIdentity({ plugins: [own] }))
  await redis.kill()
  const change = changes['updating a role']
  const organization = await troubled.identity.createOrganization(troubled.admin, 'Away')
  const person = await troubled.identity.signUp('Away')
  const make = await change?.prepare(troubled, organization, person)
  await make?.()
  const back = await startRedisProcess({ port: redis.port })
  const client = new Redis(back.url)
  await expect
    .poll(() => client.exists(`identity:user-epoch:{${person.id}}`), { timeout: 10_000 })
    .toBe(1)
  await client.quit()
  own.close()
  await back.kill()
  await troubled.identity.stop()
})

async function harmRedis(redis: RedisProcess, harm: string): Promise<void> {
  if (harm === 'killed') await redis.kill()
  else redis.hang()
}

interface Waits {
  readonly median: number
  readonly longest: number
  toString(): string
}

async function changeRoles(where: Scene, when: string): Promise<Waits> {
  const organization = await where.identity.createOrganization(where.admin, `Roles ${when}`)
  const person = await where.identity.signUp(`Person ${when}`)
  const memberId = await where.identity.addMember(organization, person, 'member')
  const waits: number[] = []
  for (let i = 0; i < CHANGES; i++) {
    const begun = performance.now()
    await call(where, where.admin, '/organization/update-member-role', {
      organizationId: organization.id,
      memberId,
      role: i % 2 === 0 ? 'approver' : 'member',
    })
    waits.push(performance.now() - begun)
  }
  waits.sort((a, b) => a - b)
  const [median = 0, longest = 0] = [waits[CHANGES / 2], waits.at(-1)]
  return { median, longest, toString: () => `${median.toFixed(1)} and ${longest.toFixed(1)}` }
}
