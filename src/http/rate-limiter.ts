import type { Cluster, Redis } from 'ioredis'
import { RateLimiterMemory, RateLimiterRedis, RateLimiterRes } from 'rate-limiter-flexible'
import type { RateLimit, RequestOrigin } from '../domain/rate.ts'

const WINDOW_SECONDS = 60

export interface RateLimiterOptions {
  readonly perMinute: number
  /** Shared by all gateways; `null`: each counts for itself, as each does while Redis is in trouble. */
  readonly redis: { readonly client: Redis | Cluster; readonly keyPrefix: string } | null
  readonly addressOf: (origin: RequestOrigin) => string
}

/** So many requests a minute of each address, and of each user. It owns the client it is given. */
export function createRateLimiter({ perMinute, redis, addressOf }: RateLimiterOptions) {
  const window = { points: perMinute, duration: WINDOW_SECONDS }
  const alone = new RateLimiterMemory(window)
  const limiter = redis
    ? new RateLimiterRedis({
        ...window,
        storeClient: redis.client,
        keyPrefix: `${redis.keyPrefix}rate`,
        insuranceLimiter: alone,
        // Who is over the limit costs Redis nothing.
        inMemoryBlockOnConsumed: perMinute + 1,
      })
    : alone

  const take = async (key: string): Promise<number | null> => {
    try {
      await limiter.consume(key)
      return null
    } catch (refusal) {
      if (!(refusal instanceof RateLimiterRes)) throw refusal
      return Math.max(1, Math.ceil(refusal.msBeforeNext / 1000))
    }
  }
  return {
    /** Nothing waits for a connection, so it is opened before the first request. */
    start: () => void redis?.client.connect().catch(() => {}),
    close: () => redis?.client.disconnect(),
    ofAddress: (origin) => take(`address:${addressOf(origin)}`),
    ofCaller: async (caller) => {
      switch (caller.kind) {
        case 'user':
          return take(`user:${encodeURIComponent(caller.userId)}`)
        case 'service':
        case 'anonymous':
          return null
        default:
          return caller satisfies never
      }
    },
  } satisfies RateLimit & Record<'start' | 'close', () => void>
}
