/** Deadlines that are all equally far away, so that those set first pass first and one timer serves them all. */
export class Deadlines {
  readonly #milliseconds: number
  /** In the order in which they pass. */
  readonly #pending = new Map<() => void, number>()
  #timer: NodeJS.Timeout | undefined

  constructor(milliseconds: number) {
    this.#milliseconds = milliseconds
  }

  /** Calls `onPassed` when the time has passed, unless what is returned is called before. */
  set(onPassed: () => void): () => void {
    this.#pending.set(onPassed, performance.now() + this.#milliseconds)
    this.#timer ??= setTimeout(this.#pass, this.#milliseconds).unref()
    return () => this.#pending.delete(onPassed)
  }

  readonly #pass = () => {
    const now = performance.now()
    this.#timer = undefined
    for (const [onPassed, at] of this.#pending) {
      if (at > now) {
        this.#timer = setTimeout(this.#pass, Math.ceil(at - now)).unref()
        return
      }
      this.#pending.delete(onPassed)
      onPassed()
    }
  }
}
