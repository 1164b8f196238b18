import type { InvalidationTarget } from '../domain/invalidation.ts'
import type { Subject } from '../domain/permission.ts'
import type { CacheEntry, CacheRead, Epochs, PermissionCache } from './cache.ts'
import type { Trust } from './trust.ts'

/** A cache whose grants are misses while a change of them may have gone untold. */
export class TrustedCache implements PermissionCache {
  readonly #cache: PermissionCache
  readonly #trust: Trust

  constructor(cache: PermissionCache, trust: Trust) {
    this.#cache = cache
    this.#trust = trust
  }

  async read(subjects: readonly Subject[]): Promise<readonly CacheRead[]> {
    const reads = await this.#cache.read(subjects)
    return reads.map(({ grant, epochs }) => ({
      grant: grant && this.#trust.believes(grant) ? grant : undefined,
      epochs,
    }))
  }

  readEpochs(subjects: readonly Subject[]): Promise<readonly (Epochs | undefined)[]> {
    return this.#cache.readEpochs(subjects)
  }

  write(entries: readonly CacheEntry[]): Promise<void> {
    return this.#cache.write(entries)
  }

  invalidate(target: InvalidationTarget): Promise<void> {
    return this.#cache.invalidate(target)
  }

  ready(): Promise<boolean> {
    return this.#cache.ready()
  }

  close(): Promise<void> {
    return this.#cache.close()
  }
}
