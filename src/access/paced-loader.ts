import DataLoader from 'dataloader'

/** When an operation does what. */
export interface Pace {
  /** Waited for before so many entries are answered with; `null`: they may be at once. */
  readonly take: (entries: number) => Promise<void> | null
  /** Works when no entries wait. */
  readonly whenSettled: (work: () => void) => void
}

/** Of those who wait for one load, so many go on at one moment. */
const AT_ONCE = 100

/**
 * Loads once what is asked for until nothing waits for a turn, however many turns that takes. Whoever asked goes on in
 * turns again: thousands may wait for one statement, and would hold the event loop all at once when it is answered.
 */
export class PacedLoader<Key, Value, CacheKey = Key> extends DataLoader<Key, Value, CacheKey> {
  readonly #pace: Pace | undefined
  /** How many wait for the next load. */
  readonly #asking: { count: number }
  #turn: Turn | undefined

  /** @param pace Absent: everything is loaded, and goes on, when the moment has passed. */
  constructor(
    load: DataLoader.BatchLoadFn<Key, Value>,
    pace: Pace | undefined,
    options?: DataLoader.Options<Key, Value, CacheKey>,
  ) {
    const asking = { count: 0 }
    const scheduled = pace && {
      batchScheduleFn: (dispatch: () => void) =>
        pace.whenSettled(() => {
          asking.count = 0
          dispatch()
        }),
    }
    super(load, { ...options, ...scheduled })
    this.#pace = pace
    this.#asking = asking
  }

  override load(key: Key): Promise<Value> {
    const loaded = super.load(key)
    const before = this.#asking.count++
    if (!this.#pace || before < AT_ONCE) return loaded
    if (before % AT_ONCE === 0) this.#turn = new Turn(this.#pace)
    return this.#turn?.after(loaded) ?? loaded
  }
}

/** Of as many as may go on at once. */
class Turn {
  readonly #pace: Pace
  #taken: Promise<void> | null | undefined

  constructor(pace: Pace) {
    this.#pace = pace
  }

  async after<Value>(loaded: Promise<Value>): Promise<Value> {
    try {
      return await loaded
    } finally {
      if (this.#taken === undefined) this.#taken = this.#pace.take(AT_ONCE)
      if (this.#taken) await this.#taken
    }
  }
}
