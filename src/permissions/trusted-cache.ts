import type { InvalidationTarget } from '../domain/invalidation.ts'
import type { Subject } from '../domain/permission.ts'
import type { CacheEntry, CacheRead, Epochs, PermissionCache } from './cache.ts'
import type { Trust } from './trust.ts'

/** A cache whose grants are misses while a change of them may have gone untold. */
export class TrustedCache implements PermissionCache {
  readonly #cache: PermissionCache
  readonly #trust: Trust
  readonly #onRead: (hits: number, misses: number) => void

  /** @param onRead told of each reading what came of it. */
  constructor(
    cache: PermissionCache,
    trust: Trust,
    onRead: (hits: number, misses: number) => void = () => {},
  ) {
    this.#cache = cache
    this.#trust = trust
    this.#onRead = onRead
  }

  async read(subjects: readonly Subject[]): Promise<readonly CacheRead[]> {
    const reads = await this.#cache.read(subjects)
    const believed = reads.map(({ grant, epochs }) => ({
      grant: grant && this.#trust.believes(grant) ? grant : undefined,
      epochs,
    }))
    const hits = believed.filter(({ grant }) => grant !== undefined).length
    this.#onRead(hits, believed.length - hits)
    return believed
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
