import { randomUUID } from 'node:crypto'
import { Redis } from 'ioredis'
import { expect, test } from 'vitest'
import { MemoryPermissionCache } from '../../src/permissions/memory-cache.ts'
import { gatewayFor } from '../support/gateway.ts'
import { startIdentity } from '../support/identity.ts'
import { useRedis } from '../support/redis.ts'

const QUESTIONS = 100_000
const A_REQUEST = 100

test('made-up organizations leave the number of keys in Redis bounded', async () => {
  const identity = await startIdentity()
  const { url, prefix } = useRedis()
  const gateway = gatewayFor(identity, { REDIS_URL: url, REDIS_KEY_PREFIX: prefix })
  const caller = await identity.signUp('Curious')
  const own = await identity.createOrganization(caller, 'Own')
  const token = await caller.jwt()
  const ask = async (organizationIds: readonly string[]) => {
    const checks = organizationIds.map((organizationId) => ({
      organizationId,
      permission: 'leave:approve',
    }))
    const { data, errors } = await gateway.graphql(
      'query ($checks: [PermissionCheckInput!]!) { checkPermissions(checks: $checks) { allowed source } }',
      { token, variables: { checks } },
    )
    expect(errors).toEqual([])
    return data.checkPermissions
  }
  for (let asked = 0; asked < QUESTIONS; asked += A_REQUEST)
    await ask(Array.from({ length: A_REQUEST }, () => randomUUID()))
  const redis = new Redis(url)
  const keys = await countKeys(redis, prefix)
  process.stdout.write(`measured: ${QUESTIONS} made-up organizations left ${keys} keys\n`)
  expect(keys).toBeGreaterThan(0)
  expect(keys).toBeLessThanOrEqual(10_001)
  await ask([own.id])
  await expect.poll(() => ask([own.id])).toEqual([{ allowed: true, source: 'CACHE' }])
  redis.disconnect()
  await gateway.close()
  await identity.stop()
})

test('made-up organizations leave the in-process cache bounded', async () => {
  const cache = new MemoryPermissionCache({ ttlSeconds: 300, maxEntries: 100_000 })
  const subjects = Array.from({ length: QUESTIONS }, () => ({
    userId: 'curious',
    organizationId: randomUUID(),
  }))
  const grant = {
    active: true,
    member: false,
    roles: [],
    permissions: [],
    resolvedAt: new Date(),
  }
  const reads = await cache.read(subjects, 'FRESH')
  await cache.write(
    subjects.flatMap((subject, index) => {
      const epochs = reads[index]?.epochs
      return epochs ? [{ subject, grant, epochs }] : []
    }),
  )
  const kept = (await cache.read(subjects, 'CACHED')).filter((read) => read.grant).length
  process.stdout.write(`measured: of ${QUESTIONS} answers about strangers ${kept} were kept\n`)
  expect(kept).toBe(10_000)
})

async function countKeys(redis: Redis, prefix: string): Promise<number> {
  let count = 0
  for await (const keys of redis.scanStream({ match: `${prefix}*`, count: 5000 }))
    count += keys.length
  return count
}
