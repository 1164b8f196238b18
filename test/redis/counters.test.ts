import { Redis } from 'ioredis'
import { expect, onTestFinished, test } from 'vitest'
import { RateLimiter } from '../../src/http/rate-limiter.ts'
import { createCounters } from '../../src/redis/counters.ts'
import { describeRedisTrouble } from '../../src/redis/trouble.ts'
import { useRedis } from '../support/redis.ts'

test.each([
  ['EVAL', '+hello +info +ping +select +cluster|slots'],
  ['INCRBY in a script', '+hello +info +ping +select +cluster|slots +eval'],
])(
  'a user who may not run %s is told of once, while each process counts for itself',
  async (_, may) => {
    const { url, prefix } = useRedis()
    const user = prefix.replace(':', '')
    const admin = new Redis(url)
    const allow = (...rules: string[]) => admin.call('ACL', 'SETUSER', user, ...rules)
    await allow('on', 'nopass', `~${prefix}*`, ...may.split(' '))
    const at = Object.assign(new URL(url), { username: user, password: 'any' }).href
    const told: Error[] = []
    const redis = createCounters(
      { url: at, keyPrefix: prefix, timeoutMs: 2000 },
      () => (error) => told.push(error),
    )
    const { client } = redis
    onTestFinished(async () => {
      client.disconnect()
      await admin.call('ACL', 'DELUSER', user)
      admin.disconnect()
    })
    await client.connect()
    const rate = new RateLimiter({
      perMinute: 1,
      redis,
    })
    const ada = { kind: 'user', userId: 'ada' } as const
    expect([await rate.ofCaller(ada), await rate.ofCaller(ada)]).toEqual([null, expect.any(Number)])
    expect(told.map((error) => describeRedisTrouble(error, at))).toEqual([
      expect.stringMatching(/does not let the user of REDIS_URL do what the gateway does/),
    ])
    await allow('+eval', '+set', '+incrby', '+pttl', '+expire')
    expect(await rate.ofCaller({ kind: 'user', userId: 'bob' })).toBeNull()
    expect(await admin.exists(`${prefix}rate:user:bob`)).toBe(1)
    expect([await redis.isFirstUse('a', 60_000), await redis.isFirstUse('a', 60_000)]).toEqual([
      true,
      false,
    ])
    expect(await admin.pttl(`${prefix}used:a`)).toBeGreaterThan(50_000)
    await allow('-eval')
    expect(await redis.isFirstUse('b', 60_000)).toBeUndefined()
    await rate.ofCaller({ kind: 'user', userId: 'eve' })
    expect(told).toHaveLength(2)
  },
)
