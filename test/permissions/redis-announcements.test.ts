import { Redis } from 'ioredis'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { startRedisProcess } from '../support/redis-process.ts'
import { world } from '../support/world.ts'

const redis = await startRedisProcess()
const client = new Redis(redis.url)
const { gateway, sql, ada, acme } = await world({
  own: true,
  environment: { PERMISSION_EVENTS: 'redis', REDIS_URL: redis.url, REDIS_TIMEOUT_MS: '2000' },
})

beforeAll(() => listening())

afterAll(async () => {
  await gateway.close()
  await client.quit()
  await redis.kill()
})

const channel = 'identity:invalidate'

async function listening(): Promise<void> {
  await vi.waitFor(async () => expect(await client.pubsub('NUMSUB', channel)).toEqual([channel, 1]))
}

async function can(): Promise<boolean> {
  const { data, errors } = await gateway.graphql(
    `{ can(permission: "leave:approve", organizationId: "${acme.id}") }`,
    { token: await ada.jwt() },
  )
  expect(errors).toEqual([])
  return data.can
}

async function setRole(role: string): Promise<void> {
  await sql('update members set role = $2 where user_id = $1', [ada.id, role])
}

async function setsDone(): Promise<number> {
  return Number(/cmdstat_set:calls=(\d+)/.exec(await client.info('commandstats'))?.[1] ?? 0)
}

test('what anybody announces is forgotten, though they set no epoch', async () => {
  for (const target of [{ userId: ada.id }, { organizationId: acme.id }]) {
    await setRole('owner')
    await client.publish(channel, JSON.stringify(target))
    await expect.poll(can).toBe(true)
    await setRole('auditor')
    expect(await can()).toBe(true)
    await client.publish(channel, JSON.stringify(target))
    await expect.poll(can).toBe(false)
  }
})

test('what is no target changes nothing', async () => {
  const before = await setsDone()
  for (const text of ['', 'x', '{', 'null', '[]', '{}', '{"userId":1}', 'x'.repeat(1_000_000)])
    await client.publish(channel, text)
  await client.publish(channel, JSON.stringify({ userId: 'x'.repeat(4000) }))
  await client.publish(channel, JSON.stringify({ userId: 'known to be the last' }))
  await expect.poll(setsDone).toBe(before + 1)
})

test('a flood about one person is a few writes', async () => {
  const before = await setsDone()
  const flood = 5000
  const text = JSON.stringify({ userId: ada.id })
  await Promise.all(Array.from({ length: flood }, () => client.publish(channel, text)))
  await client.publish(channel, JSON.stringify({ userId: 'after the flood' }))
  await expect.poll(() => client.exists('identity:user-epoch:{after%20the%20flood}')).toBe(1)
  const writes = (await setsDone()) - before
  process.stdout.write(`measured: ${flood} announcements about one person: ${writes} writes\n`)
  expect(writes).toBeLessThan(flood / 10)
})

test('a gateway whose connection was cut listens again', async () => {
  await client.call('CLIENT', 'KILL', 'TYPE', 'pubsub')
  await listening()
  await setRole('owner')
  await client.publish(channel, JSON.stringify({ userId: ada.id }))
  await expect.poll(can).toBe(true)
})
