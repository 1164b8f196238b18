import type { InvalidationTarget } from '../domain/invalidation.ts'

export interface PendingTargetsOptions {
  /** Makes the change known; all or nothing. */
  readonly deliver: (targets: readonly InvalidationTarget[]) => Promise<void>
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
export class PendingTargets {
  readonly #options: PendingTargetsOptions
  readonly #waiting = new Map<string, InvalidationTarget>()
  #timer: NodeJS.Timeout | undefined
  #busy = false
  #failing = false
  #complained = false
  #closed = false

  constructor(options: PendingTargetsOptions) {
    this.#options = options
  }

  add(target: InvalidationTarget): void {
    if (this.#closed) return
    const { most } = this.#options
    this.#waiting.set(JSON.stringify([target.organizationId, target.userId]), target)
    if (this.#waiting.size > most) {
      const [oldest] = this.#waiting.keys()
      if (oldest !== undefined) this.#waiting.delete(oldest)
      this.#complain(new Error('Too many changes are waiting to be made known.'))
      this.#options.onDropped?.()
    }
    if (!this.#busy) void this.#deliver()
  }

  /** What still waits is forgotten. */
  close(): void {
    this.#closed = true
    this.#waiting.clear()
    clearTimeout(this.#timer)
  }

  async #deliver(): Promise<void> {
    this.#busy = true
    const batch = [...this.#waiting].slice(0, BATCH)
    for (const [key] of batch) this.#waiting.delete(key)
    try {
      await this.#options.deliver(batch.map(([, target]) => target))
      this.#failing = false
      this.#complained = false
    } catch (error) {
      this.#failing = true
      if (!this.#closed) for (const [key, target] of batch) this.#waiting.set(key, target)
      this.#complain(error instanceof Error ? error : new Error(String(error)))
    }
    if (!this.#closed) this.#rest()
  }

  #complain(error: Error): void {
    if (this.#complained || this.#closed) return
    this.#complained = true
    this.#options.onTrouble(error)
  }

  #rest(): void {
    const { intervalMs, retryMs } = this.#options
    this.#timer = setTimeout(
      () => {
        if (this.#waiting.size === 0) this.#busy = false
        else void this.#deliver()
      },
      this.#failing ? retryMs : intervalMs,
    )
    this.#timer.unref()
  }
}
