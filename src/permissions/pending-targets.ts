import { setTimeout } from 'node:timers/promises'
import type { InvalidationTarget } from '../domain/invalidation.ts'

export interface PendingTargetsOptions<Target> {
  /** Makes the change known; all or nothing. */
  readonly deliver: (targets: readonly Target[]) => Promise<void>
  /** The shortest time from the end of one delivery to the beginning of the next. */
  readonly intervalMs: number
  /** After a delivery that failed. */
  readonly retryMs: number
  /** How many different targets may wait; more are dropped, the oldest first. */
  readonly most: number
  /** Told when a delivery fails or a target has to be dropped, and not again before a delivery succeeded. */
  readonly onTrouble: (error: Error) => void
  /** Told of each target that was dropped. */
  readonly onDropped?: () => void
}

const BATCH = 100

/**
 * Targets on their way. Whoever adds one waits for nothing. The first is delivered at once; those that come during a
 * delivery or shortly after it wait, each once however often it is added. What cannot be delivered stays.
 */
export function createPendingTargets<Target extends InvalidationTarget>(
  options: PendingTargetsOptions<Target>,
) {
  const { most, intervalMs, retryMs } = options
  const waiting = new Map<string, Target>()
  let busy = false
  let complained = false
  let closed = false

  const complain = (error: Error) => {
    if (!complained && !closed) options.onTrouble(error)
    complained = true
  }

  const deliverAll = async () => {
    busy = true
    while (waiting.size > 0) {
      const batch = [...waiting].slice(0, BATCH)
      for (const [key] of batch) waiting.delete(key)
      let restMs = intervalMs
      try {
        await options.deliver(batch.map(([, target]) => target))
        complained = false
      } catch (error) {
        restMs = retryMs
        if (!closed) for (const [key, target] of batch) waiting.set(key, target)
        complain(error instanceof Error ? error : new Error(String(error)))
      }
      if (!closed) await setTimeout(restMs, undefined, { ref: false })
    }
    busy = false
  }

  return {
    add: (target: Target): void => {
      if (closed) return
      waiting.set(keyOf(target), target)
      if (waiting.size > most) {
        const [oldest] = waiting.keys()
        if (oldest !== undefined) waiting.delete(oldest)
        complain(new Error('Too many changes are waiting to be made known.'))
        options.onDropped?.()
      }
      if (!busy) void deliverAll()
    },
    /** What still waits is forgotten. */
    close: (): void => {
      closed = true
      waiting.clear()
    },
  }
}

/** Whatever order it is said in. */
function keyOf(target: object): string {
  return JSON.stringify(Object.entries(target).toSorted(([one], [other]) => (one < other ? -1 : 1)))
}
