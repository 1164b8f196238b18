import { afterEach, describe, expect, test } from 'vitest'
import { RateLimiter } from '../../src/http/rate-limiter.ts'
import { createRedis, type RedisClient } from '../../src/redis/client.ts'
import { useRedis } from '../support/redis.ts'
import { type RedisProcess, startRedisProcess } from '../support/redis-process.ts'

const address = '192.0.2.1'

const clients: RedisClient[] = []
let process_: RedisProcess | undefined

async function limiter(perMinute: number, redis?: { url: string; prefix: string }) {
  if (!redis) return new RateLimiter({ perMinute, redis: null })
  const client = createRedis(redis.url, { timeoutMs: 250, onTrouble: () => {} })
  clients.push(client)
  await client.connect()
  return new RateLimiter({ perMinute, redis: { client, keyPrefix: redis.prefix } })
}

afterEach(async () => {
  for (const client of clients.splice(0)) client.disconnect()
  await process_?.kill()
  process_ = undefined
})

async function answers(rate: RateLimiter, count: number) {
  const found: (number | null)[] = []
  for (let time = 0; time < count; time++) found.push(await rate.ofAddress(address))
  return found
}

describe.each(['in the process', 'in Redis'])('%s', (where) => {
  test('so many a minute pass, the next ones wait for the rest of the minute', async () => {
    const rate = await limiter(3, where === 'in Redis' ? useRedis() : undefined)
    const [first, second, third, fourth, fifth] = await answers(rate, 5)
    expect([first, second, third]).toEqual([null, null, null])
    for (const seconds of [fourth, fifth]) {
      expect(seconds).toBeGreaterThan(0)
      expect(seconds).toBeLessThanOrEqual(60)
    }
  })

  test('addresses and users are counted apart, services not', async () => {
    const rate = await limiter(1, where === 'in Redis' ? useRedis() : undefined)
    await rate.ofAddress(address)
    expect(await rate.ofAddress(address)).not.toBeNull()
    expect(await rate.ofAddress('192.0.2.2')).toBeNull()
    const ada = { kind: 'user', userId: 'ada' } as const
    expect(await rate.ofCaller(ada)).toBeNull()
    expect(await rate.ofCaller(ada)).not.toBeNull()
    expect(await rate.ofCaller({ kind: 'user', userId: 'bob' })).toBeNull()
    const service = { kind: 'service', subject: 'payroll', scopes: new Set<never>() } as const
    expect([await rate.ofCaller(service), await rate.ofCaller(service)]).toEqual([null, null])
    expect(await rate.ofCaller({ kind: 'anonymous' })).toBeNull()
  })
})

test('two gateways with one Redis count together, under the prefix and for a minute', async () => {
  const redis = useRedis()
  const [one, other] = [await limiter(2, redis), await limiter(2, redis)]
  await answers(one, 2)
  expect(await other.ofAddress(address)).not.toBeNull()
  const client = clients[0]?.commands as import('ioredis').Redis
  const keys = await client.keys(`${redis.prefix}*`)
  expect(keys).toEqual([`${redis.prefix}rate:address:192.0.2.1`])
  expect(await client.ttl(keys[0] ?? '')).toBeLessThanOrEqual(60)
})

test('while Redis is gone or hangs, each gateway counts for itself', async () => {
  process_ = await startRedisProcess()
  const rate = await limiter(2, { url: process_.url, prefix: 'p:' })
  await rate.ofAddress(address)
  process_.hang()
  expect(await answers(rate, 3)).toEqual([null, null, expect.any(Number)])
  process_.resume()
  await process_.kill()
  expect(await rate.ofAddress('192.0.2.9')).toBeNull()
})
