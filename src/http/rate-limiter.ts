import { RateLimiterMemory, RateLimiterRedis, RateLimiterRes } from 'rate-limiter-flexible'
import type { Caller } from '../domain/caller.ts'
import type { RateLimit } from '../domain/rate.ts'

const WINDOW_SECONDS = 60

export interface RateLimiterOptions {
  readonly perMinute: number
  /** Shared by all gateways; `null`: each counts for itself, as each does while Redis is in trouble. */
  readonly redis: { readonly client: Counters; readonly keyPrefix: string } | null
}

/** What is needed of a client of Redis. */
export interface Counters {
  readonly commands: {
    eval(script: string, keys: number, ...words: readonly string[]): Promise<unknown>
  }
}

/** So many requests a minute of each address, and of each user. */
export class RateLimiter implements RateLimit {
  readonly #limiter: RateLimiterMemory | RateLimiterRedis

  constructor({ perMinute, redis }: RateLimiterOptions) {
    const window = { points: perMinute, duration: WINDOW_SECONDS }
    const alone = new RateLimiterMemory(window)
    this.#limiter = redis
      ? new RateLimiterRedis({
          ...window,
          storeClient: { eval: runScript(redis.client) },
          useRedisPackage: true,
          keyPrefix: `${redis.keyPrefix}rate`,
          insuranceLimiter: alone,
          // Who is over the limit costs Redis nothing.
          inMemoryBlockOnConsumed: perMinute + 1,
        })
      : alone
  }

  ofAddress(address: string): Promise<number | null> {
    return this.#take(`address:${address}`)
  }

  async ofCaller(caller: Caller): Promise<number | null> {
    switch (caller.kind) {
      case 'user':
      case 'delegated':
        return this.#take(`user:${encodeURIComponent(caller.userId)}`)
      case 'organization':
        return this.#take(`organization:${encodeURIComponent(caller.organizationId)}`)
      case 'service':
      case 'anonymous':
        return null
      default:
        return caller satisfies never
    }
  }

  async #take(key: string): Promise<number | null> {
    try {
      await this.#limiter.consume(key)
      return null
    } catch (refusal) {
      if (!(refusal instanceof RateLimiterRes)) throw refusal
      return Math.max(1, Math.ceil(refusal.msBeforeNext / 1000))
    }
  }
}

/** As the limiter runs a script with the client of the package `redis`. */
function runScript(client: Counters) {
  return (
    script: string,
    given: { readonly keys: readonly string[]; readonly arguments: readonly string[] },
  ) => client.commands.eval(script, given.keys.length, ...given.keys, ...given.arguments)
}
