import type { ContinuityListener } from '../domain/invalidation.ts'
import { createPendingTargets } from './pending-targets.ts'
import type { CachingPermissionService } from './service.ts'
import type { Trust } from './trust.ts'

/** Changes are passed on no faster than this, each once however often it is told. */
const COALESCE_MS = 20
const RETRY_MS = 1000
const MOST_WAITING = 10_000

/** Has permissions forgotten as changes of them are told, whoever tells. */
export function createForgetting({
  permissions,
  trust,
  ...told
}: {
  readonly permissions: Pick<CachingPermissionService, 'invalidate'>
  readonly trust: Trust
  readonly onTrouble: (error: unknown) => void
  /** Told when a change could not be kept until it was passed on: everything has to be taken for changed. */
  readonly onDropped: () => void
}): ContinuityListener & { close(): void } {
  const pending = createPendingTargets({
    ...told,
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
  })
  return {
    changed: pending.add,
    heard: (news) => {
      trust.news = news
    },
    lost: () => {
      trust.news = null
    },
    close: pending.close,
  }
}
