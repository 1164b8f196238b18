import { randomUUID } from 'node:crypto'
import { LRUCache } from 'lru-cache'
import type { InvalidationTarget } from '../domain/invalidation.ts'
import type { Consistency, Subject } from '../domain/permission.ts'
import type { RedisClient } from '../redis/client.ts'
import { type Attempt, createTimeout, Guard, type Timeout } from '../redis/guard.ts'
import {
  type CachedGrant,
  type CacheEntry,
  type CacheRead,
  type Epochs,
  type PermissionCache,
  sameEpochs,
} from './cache.ts'
import { cacheKeys, epochKeys } from './keys.ts'
import { isStranger, isYoung, lifetimeSeconds, NEGATIVE_SECONDS } from './lifetime.ts'
import { decodeGrant, encodeGrant } from './stored-grant.ts'

/** Answers about strangers come in any number; of these, a process keeps no more in Redis at a time. */
const MOST_STRANGERS = 10_000

export interface RedisPermissionCacheOptions {
  readonly prefix: string
  /** At least 1. */
  readonly ttlSeconds: number
  /** The version of the role definitions: see `versionOf`. */
  readonly version: string
  /** The longest a question waits for Redis. */
  readonly timeoutMs: number
  /** Told once when Redis keeps failing for reads or for writes, and not again before one succeeded. */
  readonly onTrouble: (error: Error) => void
  /** Told when reads or writes are no longer tried (`true`), or are tried again. */
  readonly onRest?: (of: 'reads' | 'writes', resting: boolean) => void
  /** Told of each round trip for reads or for writes, and which command it was of. */
  readonly onAttempt?: (of: 'reads' | 'writes', attempt: Attempt, command: string) => void
}

/**
 * Sets KEYS[1] to ARGV[1], resolved at ARGV[2], for ARGV[3] seconds, unless it holds a later resolution; makes a new key
 * only when ARGV[4] is 1.
 */
const WRITE = `
local current = redis.call('GET', KEYS[1])
if current then
  local ok, value = pcall(cjson.decode, current)
  if ok and type(value) == 'table' and type(value.resolvedAt) == 'number'
    and value.resolvedAt > tonumber(ARGV[2]) then return 0 end
elseif ARGV[4] == '0' then return 0
end
redis.call('SET', KEYS[1], ARGV[1], 'EX', ARGV[3])
return 1`

type Values = ReadonlyMap<string, string | null>

interface Batch {
  readonly keys: Set<string>
  /** Of them all, and perhaps of more; absent when Redis did not answer. */
  readonly values: Promise<Values | undefined>
}

/** Keeps grants in Redis, for all replicas. It owns the client it is given and closes it. */
export class RedisPermissionCache implements PermissionCache {
  readonly #redis: RedisClient
  readonly #options: RedisPermissionCacheOptions
  /** Apart from writes, because a Redis that is full still answers reads. */
  readonly #reads: Guard
  readonly #writes: Guard
  readonly #bound: Timeout
  /** What is asked for until this turn ends. */
  #next: Batch | undefined
  /** Keys of strangers that this process has made and that may still be there. */
  readonly #strangers = new LRUCache<string, true>({
    max: MOST_STRANGERS,
    ttl: NEGATIVE_SECONDS * 1000,
  })

  constructor(redis: RedisClient, options: RedisPermissionCacheOptions) {
    this.#redis = redis
    this.#options = options
    let connected = false
    redis.on('ready', () => {
      connected = true
    })
    const guard = (of: 'reads' | 'writes') =>
      new Guard({
        ...options,
        // Of a first connection that is not made yet the client will say why it cannot be.
        onTrouble: (error) => {
          if (connected || redis.commands.status !== 'connecting') options.onTrouble(error)
        },
        onRest: (resting) => options.onRest?.(of, resting),
        onAttempt: (attempt) => options.onAttempt?.(of, attempt, commandOf(of)),
      })
    const commandOf = (of: 'reads' | 'writes') =>
      of === 'writes' ? 'EVAL' : redis.commands.isCluster ? 'GET' : 'MGET'
    this.#reads = guard('reads')
    this.#writes = guard('writes')
    this.#bound = createTimeout(options.timeoutMs)
  }

  /** What concurrent questions ask for in one turn of the event loop is one round trip, in a Cluster one for each node. */
  async read(
    subjects: readonly Subject[],
    consistency: Consistency,
  ): Promise<readonly CacheRead[]> {
    const keys = subjects.map((subject) => cacheKeys(this.#options.prefix, subject))
    this.#next ??= this.#openBatch()
    for (const key of keys) {
      if (!key) continue
      if (consistency === 'CACHED') this.#next.keys.add(key.grant)
      this.#next.keys.add(key.organizationEpoch).add(key.userEpoch)
    }
    const values = await this.#next.values
    return keys.map((key) => {
      if (!values || !key) return { grant: undefined, epochs: undefined }
      const epochs = {
        organization: values.get(key.organizationEpoch) ?? '',
        user: values.get(key.userEpoch) ?? '',
      }
      // Another question of the same turn may have brought the grant: a FRESH one has no use for it.
      const text = consistency === 'CACHED' && values.get(key.grant)
      return { grant: text ? this.#decode(text, epochs) : undefined, epochs }
    })
  }

  async write(entries: readonly CacheEntry[]): Promise<void> {
    await this.#writes.run(() => Promise.all(entries.map((entry) => this.#set(entry))))
  }

  /** Tried whatever happened before, unlike reads and writes: nobody waits for it, and it must not be skipped. */
  async invalidate(target: InvalidationTarget): Promise<void> {
    const { prefix, ttlSeconds } = this.#options
    const epoch = randomUUID()
    await this.#bound.execute(() =>
      Promise.all(
        epochKeys(prefix, target).map((key) =>
          this.#redis.commands.set(key, epoch, 'EX', 2 * ttlSeconds),
        ),
      ),
    )
  }

  async ready(): Promise<boolean> {
    try {
      return await this.#bound.execute(async () => {
        if (this.#redis.commands.status === 'wait') await this.#redis.connect()
        return (await this.#redis.commands.ping()) === 'PONG'
      })
    } catch {
      return false
    }
  }

  async close(): Promise<void> {
    try {
      await this.#bound.execute(() => this.#redis.quit())
    } catch {
      this.#redis.disconnect()
    }
  }

  /** Its round trip shows in the trace of whoever asked first. */
  #openBatch(): Batch {
    const keys = new Set<string>()
    const values = new Promise((resolve) => setImmediate(resolve)).then(() => {
      this.#next = undefined
      return this.#reads.run(() => this.#load([...keys]))
    })
    return { keys, values }
  }

  async #load(keys: readonly string[]): Promise<Values> {
    if (keys.length === 0) return new Map()
    const { commands } = this.#redis
    const values = commands.isCluster
      ? await Promise.all(keys.map((key) => commands.get(key)))
      : await commands.mget([...keys])
    return new Map(keys.map((key, i) => [key, values[i] ?? null]))
  }

  async #set({ subject, grant, epochs }: CacheEntry): Promise<void> {
    const { prefix, ttlSeconds, version } = this.#options
    const key = cacheKeys(prefix, subject)?.grant
    if (key === undefined) return
    await this.#redis.commands.eval(
      WRITE,
      1,
      key,
      encodeGrant({ version, epochs, grant }),
      grant.resolvedAt.getTime(),
      lifetimeSeconds(grant, ttlSeconds),
      isStranger(grant) && !this.#hasRoomFor(key) ? '0' : '1',
    )
  }

  #hasRoomFor(key: string): boolean {
    if (this.#strangers.size >= MOST_STRANGERS) this.#strangers.purgeStale()
    if (this.#strangers.size >= MOST_STRANGERS && !this.#strangers.has(key)) return false
    this.#strangers.set(key, true)
    return true
  }

  #decode(text: string, epochs: Epochs): CachedGrant | undefined {
    const stored = decodeGrant(text)
    const { version, ttlSeconds } = this.#options
    return stored?.version === version &&
      sameEpochs(stored.epochs, epochs) &&
      isYoung(stored.grant, ttlSeconds)
      ? stored.grant
      : undefined
  }
}
