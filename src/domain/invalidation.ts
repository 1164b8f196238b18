/** Whose permissions may have changed. Both given: everything of the organization and everything of the user. */
export interface InvalidationTarget {
  readonly organizationId?: string | undefined
  readonly userId?: string | undefined
}

/** Where news of changes arrives. Nothing it is told is trusted further than to forget what was cached. */
export interface InvalidationListener {
  changed(target: InvalidationTarget): void
}

/** One who also has to know whether changes go untold. */
export interface ContinuityListener extends InvalidationListener {
  /**
   * Every change that was committed after `since`, by the database's clock, was or will be told. This was so at `atMs`,
   * by `performance.now`.
   */
  heard(news: { readonly since: Date; readonly atMs: number }): void
  /** Changes may go untold until the next `heard`. */
  lost(): void
}

export interface InvalidationSource {
  /** Never rejects. */
  close(): Promise<void>
}
