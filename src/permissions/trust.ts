import type { ContinuityListener } from '../domain/invalidation.ts'
import type { CachedGrant } from './cache.ts'

/** How long a source may say nothing before it counts as lost. A connection that hangs is noticed by this alone. */
const SILENCE_MS = 3000

/** How far cached grants may be believed, given how well news of changes arrive. */
export class Trust {
  /** Whether grants count only while a source says that it tells of every change. */
  readonly #continuous: boolean
  /** What the source said last; `null`: changes may go untold. */
  news: Parameters<ContinuityListener['heard']>[0] | null = null
  /** Whether all that was told has reached the cache. */
  settled = true

  constructor({ continuous }: { readonly continuous: boolean }) {
    this.#continuous = continuous
  }

  believes({ resolvedAt }: CachedGrant): boolean {
    if (!this.settled) return false
    if (!this.#continuous) return true
    return (
      this.news !== null &&
      performance.now() - this.news.atMs <= SILENCE_MS &&
      resolvedAt >= this.news.since
    )
  }
}
