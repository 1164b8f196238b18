import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import type { Caller } from '../../src/domain/caller.ts'
import { CostBudget } from '../../src/http/budget.ts'
import { createRedis, type RedisClient } from '../../src/redis/client.ts'
import { useRedis } from '../support/redis.ts'

const ada: Caller = { kind: 'user', userId: 'ada' }
const service: Caller = { kind: 'service', subject: 'leave', scopes: new Set() }
const anonymous: Caller = { kind: 'anonymous' }
const usual = { costPerMinute: 15_000, costPerMinuteOfServices: null, redis: null }

describe('in one process', () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ['Date'] }))
  afterEach(() => void vi.useRealTimers())

  test('a tenth of what a minute has may be spent at once, and then what a minute brings', () => {
    const budget = new CostBudget(usual)
    expect(budget.spend(ada, 'user:ada', 1000)).toEqual({
      refusedFor: null,
      available: 500,
      perMinute: 15_000,
    })
    expect(budget.spend(ada, 'user:ada', 600)).toMatchObject({ refusedFor: 1, available: 500 })
    expect(budget.spend(ada, 'user:ada', 1500)).toMatchObject({ refusedFor: 4 })
    vi.advanceTimersByTime(1000)
    expect(budget.spend(ada, 'user:ada', 600)).toMatchObject({ refusedFor: null, available: 150 })
    vi.advanceTimersByTime(3_600_000)
    expect(budget.spend(ada, 'user:ada', 1)).toMatchObject({ available: 1499 })
  })

  test('each has their own, services what is said of services, nobody their address', () => {
    const budget = new CostBudget({ ...usual, costPerMinuteOfServices: 150_000 })
    budget.spend(ada, 'user:ada', 1500)
    expect(budget.spend(ada, 'user:ada', 1)?.refusedFor).toBe(1)
    expect(budget.spend(ada, 'user:bob', 1)?.refusedFor).toBeNull()
    expect(budget.spend(anonymous, 'address:192.0.2.1', 1)).toMatchObject({ available: 1499 })
    expect(budget.spend(service, 'service:leave', 1500)).toMatchObject({ available: 13_500 })
    expect(new CostBudget(usual).spend(service, 'service:leave', 1_000_000)).toBeNull()
  })

  test('what costs more than can ever be spent at once is not refused for ever', () => {
    const budget = new CostBudget({ ...usual, costPerMinute: 150 })
    expect(budget.spend(ada, 'user:ada', 100)).toMatchObject({ refusedFor: null, available: 0 })
    expect(budget.spend(ada, 'user:ada', 100)).toMatchObject({ refusedFor: 6 })
  })
})

describe('with one Redis', () => {
  const clients: RedisClient[] = []
  afterEach(() => {
    for (const client of clients.splice(0)) client.disconnect()
  })

  async function gateway(redis: { readonly url: string; readonly prefix: string }) {
    const client = createRedis(redis.url, { timeoutMs: 1000, onTrouble: () => {} })
    clients.push(client)
    await client.connect()
    return new CostBudget({ ...usual, redis: { client, keyPrefix: redis.prefix } })
  }

  test('gateways have one bucket for whoever spends much', async () => {
    const redis = useRedis()
    const [one, other] = [await gateway(redis), await gateway(redis)]
    for (let i = 0; i < 5; i++) one.spend(ada, 'user:ada', 280)
    await expect
      .poll(() => other.spend(ada, 'user:ada', 150)?.available, { interval: 20 })
      .toBeLessThan(150)
    expect(other.spend(ada, 'user:ada', 1500)?.refusedFor).toBeGreaterThan(4)
    const admin = clients[0]?.commands as import('ioredis').Redis
    expect(await admin.keys(`${redis.prefix}*`)).toEqual([`${redis.prefix}budget:user%3Aada`])
    expect(await admin.pttl(`${redis.prefix}budget:user%3Aada`)).toBeGreaterThan(0)
  })

  test('who spends little is not told of', async () => {
    const redis = useRedis()
    const budget = await gateway(redis)
    for (let i = 0; i < 10; i++) budget.spend(ada, 'user:ada', 10)
    await new Promise((resolve) => setTimeout(resolve, 50))
    const admin = clients[0]?.commands as import('ioredis').Redis
    expect(await admin.keys(`${redis.prefix}*`)).toEqual([])
  })

  test('without Redis each counts for itself', async () => {
    const redis = useRedis()
    const budget = await gateway(redis)
    clients[0]?.disconnect()
    expect(budget.spend(ada, 'user:ada', 1500)).toMatchObject({ available: 0 })
    expect(budget.spend(ada, 'user:ada', 150)).toMatchObject({ refusedFor: 1 })
  })
})
