import type { ContinuityListener, InvalidationTarget } from '../domain/invalidation.ts'
import { PendingTargets } from './pending-targets.ts'
import type { CachingPermissionService } from './service.ts'
import type { Trust } from './trust.ts'

/** Changes are passed on no faster than this, each once however often it is told. */
const COALESCE_MS = 20
const RETRY_MS = 1000
const MOST_WAITING = 10_000

export interface NewsOptions {
  readonly permissions: Pick<CachingPermissionService, 'invalidate'>
  readonly trust: Trust
  readonly onTrouble: (error: unknown) => void
  /** Told when a change could not be kept until it was passed on: everything has to be taken for changed. */
  readonly onDropped: () => void
}

/** Has permissions forgotten as changes of them are told, whoever tells. */
export class News implements ContinuityListener {
  readonly #trust: Trust
  readonly #pending: PendingTargets

  constructor({ permissions, trust, onTrouble, onDropped }: NewsOptions) {
    this.#trust = trust
    this.#pending = new PendingTargets({
      deliver: async (targets) => {
        try {
          await Promise.all(targets.map((target) => permissions.invalidate(target)))
          trust.settled = true
        } catch (error) {
          trust.settled = false
          throw error
        }
      },
      intervalMs: COALESCE_MS,
      retryMs: RETRY_MS,
      most: MOST_WAITING,
      onTrouble,
      onDropped,
    })
  }

  changed(target: InvalidationTarget): void {
    this.#pending.add(target)
  }

  heard(news: Trust['news']): void {
    this.#trust.news = news
  }

  lost(): void {
    this.#trust.news = null
  }

  close(): void {
    this.#pending.close()
  }
}
