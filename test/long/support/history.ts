interface State<Value> {
  readonly value: Value
  /** When the change to it began. */
  readonly from: number
  /** When the change to it had been committed; infinite before. */
  settled: number
}

/** What something was, and when: between the beginning and the end of a change, both states may be seen. */
export class History<Value> {
  readonly #states: State<Value>[]

  constructor(value: Value) {
    this.#states = [{ value, from: 0, settled: 0 }]
  }

  get latest(): Value | undefined {
    return this.#states.at(-1)?.value
  }

  /** One change after the other. */
  async change(value: Value, commit: () => Promise<unknown>): Promise<void> {
    const state: State<Value> = { value, from: Date.now(), settled: Number.POSITIVE_INFINITY }
    this.#states.push(state)
    await commit()
    state.settled = Date.now()
  }

  /** Whether this was so at some moment between these two, in milliseconds, both included. */
  wasPossible(value: Value, since: number, until: number): boolean {
    return this.#states.some((state, index) => {
      const end = this.#states[index + 1]?.settled ?? Number.POSITIVE_INFINITY
      return state.value === value && state.from <= until && end >= since
    })
  }
}
