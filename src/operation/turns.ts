import { type RequestScope, waitFor } from '../scope.ts'

/** Entries that one caller's answers may take from one turn of the event loop without waiting for the next. */
const AT_ONCE = 100
/** Entries from which a new document takes turns among what is heavy, of whatever cost it turns out to be. */
const LONG_DOCUMENT = 10
/** A turn that took less, in milliseconds, needs no rest. */
const SHORT_MS = 1

interface Unit {
  readonly entries: number
  readonly go: () => void
}

/** What is heavy takes turns among its like. */
export interface TurnsByWeight {
  readonly light: Turns
  readonly heavy: Turns
}

/**
 * Gives the event loop back between the pages of an answer: whoever has answered with many entries in this turn of the
 * loop goes on in a later one, after whatever else has come in, and callers take turns. So one that asks for much makes
 * nobody else wait for longer than a page takes. In the process that makes the answer, nothing else bounds that. An answer
 * of somebody else's needs several turns of the loop, though, and would wait for a page in each of them: with rests, it has
 * half of the time to itself.
 */
export class Turns {
  readonly #restsNow: () => boolean
  /** Entries of this turn, by whose share they are of. */
  readonly #done = new Map<string, number>()
  /** By whose share; those who went last are at the end. */
  readonly #waiting = new Map<string, Unit[]>()
  #isScheduled = false
  #isResting = false
  #begunAt = 0

  /** @param restsNow Whether a turn is followed by a rest as long as it took. */
  constructor(restsNow: () => boolean = () => false) {
    this.#restsNow = restsNow
  }

  /** Before a page of so many entries is answered with. `null`: at once. */
  take(share: string, entries: number): Promise<void> | null {
    this.#schedule()
    const done = this.#done.get(share) ?? 0
    const waiting = this.#waiting.get(share)
    if (!waiting && !this.#isResting && (done === 0 || done + entries <= AT_ONCE)) {
      this.#done.set(share, done + entries)
      return null
    }
    return new Promise((go) => {
      if (waiting) waiting.push({ entries, go })
      else this.#waiting.set(share, [{ entries, go }])
    })
  }

  #schedule(): void {
    if (this.#isScheduled) return
    this.#isScheduled = true
    this.#begunAt = performance.now()
    setImmediate(this.#next)
  }

  readonly #next = (): void => {
    const tookMs = this.#done.size > 0 ? performance.now() - this.#begunAt : 0
    this.#done.clear()
    this.#isResting = tookMs > SHORT_MS && this.#restsNow()
    if (this.#isResting) {
      setTimeout(this.#next, tookMs)
      return
    }
    this.#isScheduled = false
    const [first] = this.#waiting
    if (!first) return
    const [share, units] = first
    this.#waiting.delete(share)
    let entries = 0
    do {
      const unit = units.shift()
      entries += unit?.entries ?? 0
      unit?.go()
    } while (units[0] && entries + units[0].entries <= AT_ONCE)
    if (units.length > 0) this.#waiting.set(share, units)
    this.#done.set(share, entries)
    this.#schedule()
  }
}

/** The turns of one operation. */
export class Pace {
  readonly #turns: TurnsByWeight
  readonly #scope: Pick<RequestScope, 'share' | 'isHeavy'>
  #waiting = 0
  #whenSettled: (() => void)[] = []

  constructor(turns: TurnsByWeight, scope: Pick<RequestScope, 'share' | 'isHeavy'>) {
    this.#turns = turns
    this.#scope = scope
  }

  /** As `Turns.take`. Rejects when the request ends early. */
  take(entries: number): Promise<void> | null {
    return this.#take(entries, this.#scope.isHeavy)
  }

  /** As `take`, before a new document is checked: nobody knows yet what it costs. */
  takeToCheck(entries: number): Promise<void> | null {
    return this.#take(entries, entries > LONG_DOCUMENT)
  }

  #take(entries: number, isHeavy: boolean): Promise<void> | null {
    const { light, heavy } = this.#turns
    const turn = (isHeavy ? heavy : light).take(this.#scope.share, entries)
    if (!turn) return null
    this.#waiting += 1
    return waitFor(turn).finally(() => {
      this.#waiting -= 1
      if (this.#waiting > 0) return
      const works = this.#whenSettled
      this.#whenSettled = []
      for (const work of works) this.whenSettled(work)
    })
  }

  /**
   * Works once everything that goes on in this turn has, and nothing waits for another: so what fields of many pages load
   * is one statement, in however many turns they are answered.
   */
  whenSettled(work: () => void): void {
    void settled.then(() =>
      process.nextTick(() => {
        if (this.#waiting > 0) this.#whenSettled.push(work)
        else work()
      }),
    )
  }
}

const settled = Promise.resolve()
