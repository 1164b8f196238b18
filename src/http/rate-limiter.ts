import { RateLimiterMemory, RateLimiterRedis, RateLimiterRes } from 'rate-limiter-flexible'
import type { Caller } from '../domain/caller.ts'
import type { RateLimit, RequestOrigin } from '../domain/rate.ts'

const WINDOW_SECONDS = 60

export interface RateLimiterOptions {
  readonly perMinute: number
  /** Shared by all gateways; `null`: each counts for itself, as each does while Redis is in trouble. */
  readonly redis: { readonly client: Counters; readonly keyPrefix: string } | null
  readonly addressOf: (origin: RequestOrigin) => string
}

/** What is needed of a client of Redis. */
export interface Counters {
  connect(): Promise<void>
  disconnect(): void
  readonly commands: {
    eval(script: string, keys: number, ...words: readonly string[]): Promise<unknown>
  }
}

/** So many requests a minute of each address, and of each user. */
export class RateLimiter implements RateLimit {
  readonly #limiter: RateLimiterMemory | RateLimiterRedis
  readonly #addressOf: (origin: RequestOrigin) => string
  readonly #client: Counters | undefined

  constructor({ perMinute, redis, addressOf }: RateLimiterOptions) {
    const window = { points: perMinute, duration: WINDOW_SECONDS }
    const alone = new RateLimiterMemory(window)
    this.#addressOf = addressOf
    this.#client = redis?.client
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

  /** Nothing waits for a connection, so it is opened before the first request. */
  start(): void {
    this.#client?.connect().catch(() => {})
  }

  /** It owns the client it was given. */
  close(): void {
    this.#client?.disconnect()
  }

  ofAddress(origin: RequestOrigin): Promise<number | null> {
    return this.#take(`address:${this.#addressOf(origin)}`)
  }

  async ofCaller(caller: Caller): Promise<number | null> {
    switch (caller.kind) {
      case 'user':
        return this.#take(`user:${encodeURIComponent(caller.userId)}`)
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
