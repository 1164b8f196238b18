import { ConsecutiveBreaker, circuitBreaker, handleAll, type IPolicy } from 'cockatiel'
import { withinTime } from '../domain/within-time.ts'

export interface GuardOptions {
  /** The longest one attempt may take. */
  readonly timeoutMs: number
  /** Told once when attempts keep failing, and not again before one succeeded. */
  readonly onTrouble: (error: Error) => void
  /** Told whenever attempts are no longer made (`true`), or are made again. */
  readonly onRest?: (resting: boolean) => void
  /** Told of each attempt that was made. */
  readonly onAttempt?: (attempt: Attempt) => void
}

export interface Attempt {
  readonly durationMs: number
  readonly failed: boolean
}

const FAILURES = 5
const REST_MS = 2000

/**
 * Bounds the wait for something that may fail or hang: in time for one attempt, and after five failures in a row by
 * not trying for two seconds at all.
 */
export class Guard {
  readonly #breaker: IPolicy
  readonly #timeout: Timeout
  readonly #onAttempt: (attempt: Attempt) => void
  #inTrouble = false

  constructor({ timeoutMs, onTrouble, onRest = () => {}, onAttempt = () => {} }: GuardOptions) {
    this.#onAttempt = onAttempt
    const breaker = circuitBreaker(handleAll, {
      halfOpenAfter: REST_MS,
      breaker: new ConsecutiveBreaker(FAILURES),
    })
    breaker.onBreak((reason) => {
      if (!this.#inTrouble) onTrouble(toError(reason))
      this.#inTrouble = true
      onRest(true)
    })
    breaker.onReset(() => {
      this.#inTrouble = false
      onRest(false)
    })
    this.#breaker = breaker
    this.#timeout = createTimeout(timeoutMs)
  }

  /** What the attempt gave, or `undefined` when it failed, took too long or was not made. */
  async run<Result>(attempt: () => Promise<Result>): Promise<Result | undefined> {
    try {
      return await this.#breaker.execute(() => this.#observe(() => this.#timeout.execute(attempt)))
    } catch {
      return undefined
    }
  }

  async #observe<Result>(attempt: () => Promise<Result>): Promise<Result> {
    const begun = performance.now()
    let failed = true
    try {
      const result = await attempt()
      failed = false
      return result
    } finally {
      this.#onAttempt({ durationMs: performance.now() - begun, failed })
    }
  }
}

export interface Timeout {
  execute<Result>(attempt: () => Promise<Result>): Promise<Result>
}

/**
 * Rejects after this many milliseconds; the attempt itself goes on unheard. By hand, because what the library makes for
 * one attempt lives until the old generation is collected, and with it what came of the attempt: docs/internals.md.
 */
export function createTimeout(milliseconds: number): Timeout {
  return {
    execute: async (attempt) => withinTime(attempt(), milliseconds, late),
  }
}

const late = () => new Error('No answer in time.')

function toError(reason: object): Error {
  if ('error' in reason && reason.error instanceof Error) return reason.error
  return new Error('Attempts keep failing.')
}
