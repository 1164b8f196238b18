import { Redis } from 'ioredis'
import { afterEach, expect, test, vi } from 'vitest'
import { findOrStartRedis } from '../../src/demo/redis.ts'
import { useRedis } from '../support/redis.ts'

afterEach(() => {
  vi.unstubAllEnvs()
})

test('a Redis that is given is used, and goes on when the demo stops', async () => {
  const { url, prefix } = useRedis()
  const redis = await findOrStartRedis({ url })
  expect(redis?.url).toBe(url)
  await redis?.stop()
  const client = new Redis(url)
  expect(await client.set(`${prefix}a`, 'b', 'EX', 5)).toBe('OK')
  await client.quit()
})

test('a Redis that was started is reached from this machine alone, saves nothing and is stopped', async () => {
  const redis = await findOrStartRedis({})
  if (redis === null) throw new Error('This test needs redis-server on the PATH.')
  const client = new Redis(redis.url, { retryStrategy: () => null })
  expect(await client.config('GET', 'bind')).toEqual(['bind', '127.0.0.1'])
  expect(await client.config('GET', 'save')).toEqual(['save', ''])
  await client.quit()
  await redis.stop()
  const late = new Redis(redis.url, { lazyConnect: true, retryStrategy: () => null })
  late.on('error', () => {})
  await expect(late.connect()).rejects.toThrow()
})

test('there is no Redis when none is given and none is on the PATH', async () => {
  vi.stubEnv('PATH', '/nowhere')
  expect(await findOrStartRedis({})).toBeNull()
})
