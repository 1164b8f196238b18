interface State {
  readonly allowed: boolean
  /** When the change to it began. */
  readonly from: number
  /** When the change to it had been committed; infinite before. */
  settled: number
}

/** What somebody was allowed, and when: between the beginning and the end of a change, both states may be seen. */
export class RoleHistory {
  readonly #states: State[]

  constructor(allowed: boolean) {
    this.#states = [{ allowed, from: 0, settled: 0 }]
  }

  /** One change after the other. */
  async change(allowed: boolean, commit: () => Promise<unknown>): Promise<void> {
    const state: State = { allowed, from: Date.now(), settled: Number.POSITIVE_INFINITY }
    this.#states.push(state)
    await commit()
    state.settled = Date.now()
  }

  /** Whether this was so at some moment between these two, in milliseconds, both included. */
  wasPossible(allowed: boolean, since: number, until: number): boolean {
    return this.#states.some((state, index) => {
      const end = this.#states[index + 1]?.settled ?? Number.POSITIVE_INFINITY
      return state.allowed === allowed && state.from <= until && end >= since
    })
  }
}
