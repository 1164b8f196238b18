/**
 * Deadlines that are all equally far away, so that those set first pass first and one timer serves them all. What they are
 * of should lead to nothing large: the table of a Map that was filled again and again refers to the next one, and so
 * entries outlive their deletion until old garbage is collected.
 */
export class Deadlines<Of> {
  readonly #milliseconds: number
  readonly #onPassed: (of: Of) => void
  /** In the order in which they pass. */
  readonly #pending = new Map<Of, number>()
  #timer: NodeJS.Timeout | undefined

  constructor(milliseconds: number, onPassed: (of: Of) => void) {
    this.#milliseconds = milliseconds
    this.#onPassed = onPassed
  }

  set(of: Of): void {
    this.#pending.set(of, performance.now() + this.#milliseconds)
    this.#timer ??= setTimeout(this.#pass, this.#milliseconds).unref()
  }

  forget(of: Of): void {
    this.#pending.delete(of)
  }

  readonly #pass = () => {
    const now = performance.now()
    this.#timer = undefined
    for (const [of, at] of this.#pending) {
      if (at > now) {
        this.#timer = setTimeout(this.#pass, Math.ceil(at - now)).unref()
        return
      }
      this.#pending.delete(of)
      this.#onPassed(of)
    }
  }
}
