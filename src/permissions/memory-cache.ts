import { randomUUID } from 'node:crypto'
import { LRUCache } from 'lru-cache'
import type { InvalidationTarget } from '../domain/invalidation.ts'
import type { Consistency, Subject } from '../domain/permission.ts'
import {
  type CachedGrant,
  type CacheEntry,
  type CacheRead,
  type Epochs,
  type PermissionCache,
  sameEpochs,
} from './cache.ts'
import { type CacheKeys, cacheKeys, epochKeys } from './keys.ts'
import { isStranger, isYoung, lifetimeSeconds } from './lifetime.ts'

/** Questions about strangers come in any number; they get a tenth of the room, and none of the members'. */
const STRANGERS_SHARE = 0.1

/** Keeps grants in this process. Invalidation reaches this process alone. */
export class MemoryPermissionCache implements PermissionCache {
  readonly #ttlSeconds: number
  readonly #members: LRUCache<string, CacheEntry>
  readonly #strangers: LRUCache<string, CacheEntry>
  readonly #epochs: LRUCache<string, string>
  /** The epoch of everything that has none of its own. */
  #commonEpoch = ''

  /** @param options `maxEntries`: how many members' grants to keep, and how many epochs. */
  constructor(options: { readonly ttlSeconds: number; readonly maxEntries: number }) {
    const { ttlSeconds, maxEntries } = options
    this.#ttlSeconds = ttlSeconds
    this.#members = new LRUCache({ max: maxEntries })
    this.#strangers = new LRUCache({ max: Math.ceil(maxEntries * STRANGERS_SHARE) })
    this.#epochs = new LRUCache({
      max: maxEntries,
      ttl: 2 * ttlSeconds * 1000,
      // An epoch that had to make room must not bring back what it made invalid.
      dispose: (_epoch, _key, reason) => {
        if (reason === 'evict') this.#commonEpoch = randomUUID()
      },
    })
  }

  async read(
    subjects: readonly Subject[],
    consistency: Consistency,
  ): Promise<readonly CacheRead[]> {
    return subjects.map((subject) => {
      const keys = cacheKeys('', subject)
      if (!keys) return { grant: undefined, epochs: undefined }
      const epochs = this.#epochsOf(keys)
      return { grant: consistency === 'CACHED' ? this.#grantOf(keys, epochs) : undefined, epochs }
    })
  }

  async write(entries: readonly CacheEntry[]): Promise<void> {
    for (const entry of entries) {
      const key = cacheKeys('', entry.subject)?.grant
      if (key !== undefined && !this.#holdsLater(key, entry.grant)) this.#set(key, entry)
    }
  }

  async invalidate(target: InvalidationTarget): Promise<void> {
    const epoch = randomUUID()
    for (const key of epochKeys('', target)) this.#epochs.set(key, epoch)
  }

  async ready(): Promise<boolean> {
    return true
  }

  async close(): Promise<void> {
    this.#members.clear()
    this.#strangers.clear()
    this.#epochs.clear()
  }

  #epochsOf(keys: CacheKeys): Epochs {
    return {
      organization: this.#epochs.get(keys.organizationEpoch) ?? this.#commonEpoch,
      user: this.#epochs.get(keys.userEpoch) ?? this.#commonEpoch,
    }
  }

  #grantOf(keys: CacheKeys, epochs: Epochs): CachedGrant | undefined {
    const entry = this.#members.get(keys.grant) ?? this.#strangers.get(keys.grant)
    return entry && sameEpochs(entry.epochs, epochs) && isYoung(entry.grant, this.#ttlSeconds)
      ? entry.grant
      : undefined
  }

  #holdsLater(key: string, grant: CachedGrant): boolean {
    const held = this.#members.peek(key) ?? this.#strangers.peek(key)
    return held !== undefined && held.grant.resolvedAt > grant.resolvedAt
  }

  #set(key: string, entry: CacheEntry): void {
    this.#members.delete(key)
    this.#strangers.delete(key)
    const kind = isStranger(entry.grant) ? this.#strangers : this.#members
    kind.set(key, entry, { ttl: lifetimeSeconds(entry.grant, this.#ttlSeconds) * 1000 })
  }
}
