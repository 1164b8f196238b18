import type { Change, ChangeKind, ChangeStream, Notice } from '../domain/changes.ts'

/** So long after something has changed it is told, with what else has changed meanwhile. */
export const COALESCE_MS = 100
/** The shortest time from one event of a subscription to the next. */
export const INTERVAL_MS = 500
/** Of more users or organizations than this, an event says that everything is to be read again. */
const MOST_IDS = 1000

type Result = IteratorResult<Change, undefined>

interface Waiting {
  readonly resolve: (result: Result) => void
  readonly reject: (error: Error) => void
}

/** What one subscription has not been told yet. It holds what changed and not the events, however slow its reader is. */
export class Subscriber implements ChangeStream {
  readonly #tokenNow: () => string | null
  readonly #onEnd: (subscriber: Subscriber) => void
  readonly #userIds = new Set<string>()
  readonly #organizationIds = new Set<string>()
  #kind: 'READ_AGAIN' | 'CHANGED' | null
  /** `performance.now()` from which the next event may be told. */
  #dueAt = 0
  #waiting: Waiting | null = null
  #isFirst = true
  #isOfSessions = false
  #timer: NodeJS.Timeout | undefined
  #isOver = false
  #failure: Error | null = null

  /**
   * @param first What kind of event is there from the beginning.
   * @param told `tokenNow`: until where changes have been told now. `onEnd`: nothing is waited for any more.
   */
  constructor(
    first: 'READ_AGAIN' | 'CHANGED',
    told: {
      readonly tokenNow: () => string | null
      readonly onEnd: (subscriber: Subscriber) => void
    },
  ) {
    this.#kind = first
    this.#tokenNow = told.tokenNow
    this.#onEnd = told.onEnd
  }

  /** @param notice `null`: of everything. Absent: of what it is about. */
  wake(notice: Notice | null = nothing): void {
    if (this.#isOver) return
    this.#keep(notice)
    this.#dueAt = Math.max(this.#dueAt, performance.now() + (this.#timer ? 0 : COALESCE_MS))
    this.#schedule()
  }

  /** Sessions of whoever subscribed have changed, which it is not about. */
  check(): void {
    const isAlone = this.#kind === null || this.#isOfSessions
    this.wake()
    this.#isOfSessions = isAlone
  }

  /** Whoever waits is told that nobody knows any more what changes. */
  fail(error: Error): void {
    if (this.#isOver) return
    this.#failure = error
    this.#end()
  }

  /** Not again before it has answered. */
  next(): Promise<Result> {
    if (this.#failure) {
      const failure = this.#failure
      this.#failure = null
      return Promise.reject(failure)
    }
    if (this.#isOver) return Promise.resolve(over)
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject }
      this.#schedule()
    })
  }

  async return(): Promise<Result> {
    this.#end()
    return over
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  #keep(notice: Notice | null): void {
    const { users = [], organizations = [], everyoneIn = [] } = notice ?? {}
    for (const id of users) this.#userIds.add(id)
    for (const id of [...organizations, ...everyoneIn]) this.#organizationIds.add(id)
    this.#isOfSessions = false
    const isMuch = this.#userIds.size + this.#organizationIds.size > MOST_IDS
    if (notice === null || isMuch) this.#kind = 'READ_AGAIN'
    this.#kind ??= 'CHANGED'
    if (this.#kind === 'READ_AGAIN') this.#forgetIds()
  }

  #forgetIds(): void {
    this.#userIds.clear()
    this.#organizationIds.clear()
  }

  /** Nothing is scheduled while nobody waits, or while there is nothing to tell. */
  #schedule(): void {
    if (this.#kind === null || !this.#waiting || this.#timer) return
    const restMs = this.#dueAt - performance.now()
    if (restMs <= 0) this.#tell()
    else this.#timer = setTimeout(this.#tellLater, restMs)
  }

  readonly #tellLater = (): void => {
    this.#timer = undefined
    this.#schedule()
  }

  #tell(): void {
    const waiting = this.#waiting
    const kind = this.#kind
    if (!waiting || kind === null) return
    const value = new OneChange(kind, {
      userIds: [...this.#userIds],
      organizationIds: [...this.#organizationIds],
      resumeToken: this.#tokenNow(),
      isFirst: this.#isFirst,
      isOfSessions: this.#isOfSessions,
    })
    this.#isFirst = false
    this.#forgetIds()
    this.#kind = null
    this.#waiting = null
    this.#dueAt = performance.now() + INTERVAL_MS
    waiting.resolve({ done: false, value })
  }

  #end(): void {
    if (this.#isOver) return
    this.#isOver = true
    clearTimeout(this.#timer)
    this.#forgetIds()
    this.#onEnd(this)
    const waiting = this.#waiting
    this.#waiting = null
    if (!waiting) return
    if (this.#failure) waiting.reject(this.#failure)
    else waiting.resolve(over)
    this.#failure = null
  }
}

const nothing: Notice = {}
const over: Result = { done: true, value: undefined }

class OneChange implements Change {
  #kind: ChangeKind
  userIds: readonly string[]
  organizationIds: readonly string[]
  resumeToken: string | null
  readonly isFirst: boolean
  readonly isOfSessions: boolean

  constructor(kind: ChangeKind, of: Omit<Change, 'kind' | 'end'>) {
    this.#kind = kind
    this.isFirst = of.isFirst
    this.isOfSessions = of.isOfSessions
    this.userIds = of.userIds
    this.organizationIds = of.organizationIds
    this.resumeToken = of.resumeToken
  }

  get kind(): ChangeKind {
    return this.#kind
  }

  end(): void {
    this.#kind = 'ENDED'
    this.userIds = []
    this.organizationIds = []
    this.resumeToken = null
  }
}
