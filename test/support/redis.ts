import { randomBytes } from 'node:crypto'
import { inject } from 'vitest'

/** The run's Redis with a key prefix that nobody else uses. @throws Error that says how to get a Redis. */
export function useRedis(): { readonly url: string; readonly prefix: string } {
  const redis = inject('redis')
  if ('missing' in redis) throw new Error(redis.missing)
  return { url: redis.url, prefix: `test-${randomBytes(6).toString('hex')}:` }
}
