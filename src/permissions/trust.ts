import type { CachedGrant } from './cache.ts'

export interface TrustOptions {
  /** Whether grants count only while a source says that it tells of every change. */
  readonly continuous: boolean
}

/** How long a source may say nothing before it counts as lost. A connection that hangs is noticed by this alone. */
const SILENCE_MS = 3000

/** How far cached grants may be believed, given how well news of changes arrive. */
export class Trust {
  readonly #continuous: boolean
  #news: { readonly since: Date; readonly atMs: number } | undefined
  #settled = true

  constructor({ continuous }: TrustOptions) {
    this.#continuous = continuous
  }

  heard(news: { readonly since: Date; readonly atMs: number }): void {
    this.#news = news
  }

  lost(): void {
    this.#news = undefined
  }

  /** Whether all that was told has reached the cache. */
  settled(settled: boolean): void {
    this.#settled = settled
  }

  believes({ resolvedAt }: CachedGrant): boolean {
    if (!this.#settled) return false
    if (!this.#continuous) return true
    return (
      this.#news !== undefined &&
      performance.now() - this.#news.atMs <= SILENCE_MS &&
      resolvedAt >= this.#news.since
    )
  }
}
