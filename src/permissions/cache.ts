import type { InvalidationTarget } from '../domain/invalidation.ts'
import type { Consistency, Grant, Subject } from '../domain/permission.ts'

/*
 * The permission cache: the only thing about people that outlives a request.
 *
 * What: the resolved grant of one user in one organization, non-members included.
 * Key: the pair of ids, encoded injectively. Ids too long or not well-formed text are never cached.
 * Why: permission checks are the most frequent question, and a role changes rarely.
 * TTL: `ttlSeconds` after the members table was read; 30 seconds for a non-member or an inactive user.
 * Version: a grant names the role definitions it was resolved with; under others it is a miss.
 * Invalidation: organization and user have an epoch each, a random text that `invalidate` replaces. A grant carries the
 *   epochs that were read before its members were, and is a miss under any others. So an event that arrives during a
 *   resolution wins over it, on every replica.
 * Why an epoch may expire: it is kept for twice the TTL, and only its absence repeats. A grant resolved before the
 *   event is too old by then, whenever it was written, because its age counts from the reading of the members; a
 *   grant resolved after the event was right. Clocks of gateway and database may differ by up to a TTL.
 * A Redis told to evict keys may forget an epoch before the grants it made invalid: the TTL is the bound then.
 * Order: a resolution never overwrites one that was read later, by the database's clock.
 * Failure: a cache that fails, hangs or is full is a miss after a bounded wait; never an answer, never an error.
 */

export type CachedGrant = Omit<Grant, 'source'>

/** Opaque; absent epochs (nothing was invalidated lately) are the empty text in Redis. */
export interface Epochs {
  readonly organization: string
  readonly user: string
}

/** Two unknowns count as equal. */
export function sameEpochs(one: Epochs | undefined, other: Epochs | undefined): boolean {
  return one?.organization === other?.organization && one?.user === other?.user
}

export interface CacheRead {
  /** Absent on a miss, and for whoever asks for what is FRESH. */
  readonly grant: CachedGrant | undefined
  /** Absent when the cache could not tell: what is resolved then must not be written. */
  readonly epochs: Epochs | undefined
}

export interface CacheEntry {
  readonly subject: Subject
  readonly grant: CachedGrant
  /** As they were read before the members table was. */
  readonly epochs: Epochs
}

export interface PermissionCache {
  /** One for each subject, in the same order; for FRESH their epochs alone. Never rejects. */
  read(subjects: readonly Subject[], consistency: Consistency): Promise<readonly CacheRead[]>
  /** Leaves a grant that was resolved later in place. Never rejects. */
  write(entries: readonly CacheEntry[]): Promise<void>
  /** @throws Error when it may not have taken effect: try again, or accept the TTL as the bound. */
  invalidate(target: InvalidationTarget): Promise<void>
  /** Whether the cache answers now, asked without regard to earlier failures. Never rejects. */
  ready(): Promise<boolean>
  /** Never rejects. */
  close(): Promise<void>
}
