import { LRUCache } from 'lru-cache'
import type { Caller } from '../domain/caller.ts'
import type { Budget, Spent } from '../domain/rate.ts'
import type { Counters } from './rate-limiter.ts'

export interface CostBudgetOptions {
  /** Points a minute of each user and organization, and of each address that nobody calls from; `null`: any number. */
  readonly costPerMinute: number | null
  /** The same of each service. */
  readonly costPerMinuteOfServices: number | null
  /** Where gateways tell one another what was spent; `null`: each counts for itself, as each does while Redis is in trouble. */
  readonly redis: { readonly client: Counters; readonly keyPrefix: string } | null
}

/** A token bucket: it fills steadily, and what is spent is taken from it. */
interface Bucket {
  tokens: number
  /** When they were counted, in milliseconds since the epoch: gateways compare their clocks. */
  at: number
  /** Spent, and not told to the others yet. */
  untold: number
  telling: boolean
}

/** Of a minute's points, so much can be spent at once. */
const AT_ONCE = 1 / 10
/** Others are told of a caller that has spent this part of what can be spent at once: most callers never do. */
const WORTH_TELLING = 1 / 10
/** Callers that one process remembers; who is forgotten begins with a full bucket. */
const MOST_BUCKETS = 100_000

/**
 * What each caller may spend. It is counted in this process, so that no request waits for it; of those who spend much,
 * gateways with one Redis tell one another, and then have one bucket in common, but for what is not told yet.
 */
export class CostBudget implements Budget {
  readonly #options: CostBudgetOptions
  readonly #buckets = new LRUCache<string, Bucket>({ max: MOST_BUCKETS })

  constructor(options: CostBudgetOptions) {
    this.#options = options
  }

  spend(caller: Caller, share: string, points: number): Spent | null {
    const perMinute = this.#perMinute(caller)
    if (perMinute === null) return null
    const most = perMinute * AT_ONCE
    const perSecond = perMinute / 60
    const bucket = this.#bucket(share, most, perSecond)
    // What costs more than a bucket holds is for other limits to refuse.
    const needed = Math.min(points, most)
    const available = () => Math.max(0, Math.floor(bucket.tokens))
    if (bucket.tokens < needed) {
      const refusedFor = Math.max(1, Math.ceil((needed - bucket.tokens) / perSecond))
      return { refusedFor, available: available(), perMinute }
    }
    bucket.tokens -= needed
    bucket.untold += needed
    if (bucket.untold >= most * WORTH_TELLING) this.#tell(share, bucket, most, perSecond)
    return { refusedFor: null, available: available(), perMinute }
  }

  #perMinute(caller: Caller): number | null {
    switch (caller.kind) {
      case 'anonymous':
      case 'user':
      case 'delegated':
      case 'organization':
        return this.#options.costPerMinute
      case 'service':
        return this.#options.costPerMinuteOfServices
      default:
        return caller satisfies never
    }
  }

  #bucket(share: string, most: number, perSecond: number): Bucket {
    const now = Date.now()
    const known = this.#buckets.get(share)
    if (!known) {
      const made = { tokens: most, at: now, untold: 0, telling: false }
      this.#buckets.set(share, made)
      return made
    }
    known.tokens = Math.min(most, known.tokens + (Math.max(0, now - known.at) / 1000) * perSecond)
    known.at = now
    return known
  }

  #tell(share: string, bucket: Bucket, most: number, perSecond: number): void {
    const { redis } = this.#options
    if (!redis || bucket.telling) return
    const { untold } = bucket
    bucket.untold = 0
    bucket.telling = true
    const key = `${redis.keyPrefix}budget:${encodeURIComponent(share)}`
    const words = [untold, most, perSecond, Date.now()].map(String)
    redis.client.commands
      .eval(SPEND, 1, key, ...words)
      .then(
        (left) => {
          bucket.tokens = Math.min(bucket.tokens, Number(left) - bucket.untold)
        },
        () => {
          bucket.untold += untold
        },
      )
      .finally(() => {
        bucket.telling = false
      })
  }
}

/** Takes what was spent from the bucket that gateways have in common, and answers what it holds then; less than nothing where several spent the same. */
const SPEND = `
local spent, most, per_second, now = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local tokens, at = most, now
local known = redis.call('GET', KEYS[1])
if known then
  local split = string.find(known, ' ', 1, true)
  tokens, at = tonumber(string.sub(known, 1, split - 1)), tonumber(string.sub(known, split + 1))
end
tokens = math.min(most, tokens + math.max(0, now - at) / 1000 * per_second) - spent
redis.call('SET', KEYS[1], string.format('%.3f %.0f', tokens, math.max(at, now)), 'PX', math.ceil((most - tokens) / per_second * 1000) + 1000)
return tostring(tokens)`
