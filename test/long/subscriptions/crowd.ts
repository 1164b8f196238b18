import { type Asked, readEvents } from './reader.ts'

/** What somebody has to be told, and has not been yet. */
interface Untold {
  /** `null`: that it has changed. */
  value: string | null
  /** When the first change began of which nothing was told. */
  readonly sinceMs: number
  confirmed: boolean
  /** Everything was read again while nobody knew whether the change was made. */
  readAgain: boolean
}

/** What an event says: everything that it tells the values of, or the ids of what has changed; all of them, with `null`. */
export interface Said {
  readonly kind: string
  readonly values?: ReadonlyMap<string, string>
  readonly ids?: ReadonlySet<string> | null
  readonly resumeToken?: string | null
}

export interface Subscription {
  readonly name: string
  /** `after`: where the stream before it has ended. */
  readonly asked: (after: string | null) => Asked
  // biome-ignore lint/suspicious/noExplicitAny: whatever is selected
  readonly said: (event: any) => Said
}

export interface Counts {
  events: number
  cuts: number
  refusals: number
  /** Subscriptions that went on where the one before them had ended, and those that had to read again. */
  resumed: number
  readAgain: number
  readonly wrong: string[]
  readonly longest: { ms: number; what: string }
}

export const newCounts = (): Counts => ({
  ...{ events: 0, cuts: 0, refusals: 0, resumed: 0, readAgain: 0 },
  wrong: [],
  longest: { ms: 0, what: '' },
})

/** One client, that opens a stream again when it is cut off: at another gateway each time. */
export class Client {
  readonly #of: Subscription
  readonly #urls: readonly string[]
  readonly #counts: Counts
  readonly #untold = new Map<string, Untold>()
  #turn: number
  #after: string | null = null
  #opened = 0
  #isOpen = false
  #close = (): void => {}
  #retry: NodeJS.Timeout | undefined

  constructor(of: Subscription, urls: readonly string[], turn: number, counts: Counts) {
    this.#of = of
    this.#urls = urls
    this.#turn = turn
    this.#counts = counts
    this.#open()
  }

  get name(): string {
    return this.#of.name
  }

  get isOpen(): boolean {
    return this.#isOpen
  }

  get untold(): readonly string[] {
    const nowMs = performance.now()
    return [...this.#untold].map(
      ([fact, { value, sinceMs }]) =>
        `${fact} ${value ?? ''} for ${(nowMs - sinceMs).toFixed(0)} ms`,
    )
  }

  /** A change begins, perhaps not for the first time. */
  expect(fact: string, value: string | null): void {
    const { sinceMs = performance.now() } = this.#untold.get(fact) ?? {}
    this.#untold.set(fact, { value, sinceMs, confirmed: false, readAgain: false })
  }

  /** It was made. */
  confirm(fact: string): void {
    const untold = this.#untold.get(fact)
    if (untold) untold.confirmed = true
    if (untold?.readAgain) this.#told(fact, untold)
  }

  close(): void {
    clearTimeout(this.#retry)
    this.#close()
  }

  #open(): void {
    const url = this.#urls[this.#turn % this.#urls.length] ?? ''
    let isFirst = true
    this.#close = readEvents(url, this.#of.asked(this.#after), {
      event: (event) => {
        this.#counts.events += 1
        this.#isOpen = true
        const said = this.#of.said(event)
        if (isFirst && this.#opened > 0 && this.#after !== null)
          this.#counts[said.kind === 'CHANGED' ? 'resumed' : 'readAgain'] += 1
        if (isFirst) this.#opened += 1
        isFirst = false
        this.#hear(said)
      },
      end: (how, why) => {
        this.#isOpen = false
        if (how === 'cut') this.#counts.cuts += 1
        else if (how === 'refused') this.#counts.refusals += 1
        else this.#counts.wrong.push(`${this.name} ended: ${how} ${why}`)
        this.#turn += 1
        this.#retry = setTimeout(() => this.#open(), 100 + Math.random() * 300)
      },
    })
  }

  #hear({ kind, values, ids, resumeToken = null }: Said): void {
    if (kind !== 'READ_AGAIN' && kind !== 'CHANGED')
      this.#counts.wrong.push(`${this.name} was told ${kind}`)
    this.#after = resumeToken
    for (const [fact, untold] of this.#untold) {
      if (values ? values.get(fact) === untold.value : ids?.has(fact)) this.#told(fact, untold)
      else if (ids === null && untold.confirmed) this.#told(fact, untold)
      else if (ids === null) untold.readAgain = true
    }
  }

  #told(fact: string, { sinceMs }: Untold): void {
    this.#untold.delete(fact)
    const ms = performance.now() - sinceMs
    const { longest } = this.#counts
    if (ms > longest.ms) Object.assign(longest, { ms, what: `${this.name}: ${fact}` })
  }
}
