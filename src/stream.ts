import type { ExecutionResult } from 'graphql'
import { type Authenticator, anonymous, type Caller, kindOf, shareOf } from './domain/caller.ts'
import type { Change, ChangeStream } from './domain/changes.ts'
import { GatewayError } from './domain/errors.ts'
import type { FairQueue } from './domain/fair-queue.ts'
import type { LetIn, LetInCaller } from './let-in.ts'
import type { Admission } from './operation/admission.ts'
import { asRequestError } from './operation/errors.ts'
import type { Tell } from './operation/tell.ts'
import { pauseAfter } from './operation/try-again.ts'
import { Pace, type TurnsByWeight } from './operation/turns.ts'
import { type RequestScope, runIn, runShared } from './scope.ts'

/** A subscription that has been checked, as far as it can be without knowing who asks. */
export interface Subscription {
  readonly scope: RequestScope
  readonly headers: Pick<Headers, 'get'>
  /** What each of its events costs. */
  readonly points: number
  /** What it waits for, or why it cannot. */
  readonly subscribe: (caller: LetInCaller) => Promise<AsyncIterable<unknown> | ExecutionResult>
  /** Answers with one event what is selected in it. */
  readonly answer: (
    caller: LetInCaller,
    scope: RequestScope,
    change: Change,
  ) => Promise<ExecutionResult>
}

export interface StreamParts {
  readonly admission: Admission
  readonly authenticator: Pick<Authenticator, 'again'>
  readonly letIn: LetIn
  readonly tell: Tell
  readonly turns: TurnsByWeight
  /** In which events of all streams are answered with, a few at once, however many are waiting. */
  readonly queue: FairQueue
  /** The longest that answering with one event may take. */
  readonly timeoutMs: number
  /** Told of each event that is sent. */
  readonly onEvent: () => void
}

/** An event that cannot be answered with now is tried so often, before the stream is cut off. */
const MOST_ATTEMPTS = 5

/**
 * The events of one subscription, each read when its reader takes it, as a request of its own: who calls is found out
 * anew, it has a deadline, its share and its cost. It ends after the event that says so. It rejects when it has to be cut
 * off, so that the client opens another.
 */
export class EventStream implements AsyncIterableIterator<ExecutionResult, undefined> {
  readonly #parts: StreamParts
  readonly #of: Subscription
  readonly #caller: Caller
  readonly #source: ChangeStream
  readonly #onEnd: () => void
  readonly #forget: () => void
  #first: ExecutionResult | null = null
  #isOver = false
  #isCut = false
  #pausing: { readonly timer: NodeJS.Timeout; readonly goOn: () => void } | null = null

  /** @param onEnd Told once, when nothing more comes. */
  constructor(
    parts: StreamParts,
    of: Subscription,
    from: {
      readonly caller: Caller
      readonly source: ChangeStream
      readonly onEnd: () => void
    },
  ) {
    this.#parts = parts
    this.#of = of
    this.#caller = from.caller
    this.#source = from.source
    this.#onEnd = from.onEnd
    this.#forget = of.scope.whenEnded(this.#end)
  }

  /** Whether nothing more comes, as when its client has gone before it began. */
  get isOver(): boolean {
    return this.#isOver
  }

  /** The event with which it begins, and whether others may follow: of what was refused there are none. */
  async begin(entered: LetInCaller): Promise<{ result: ExecutionResult; goesOn: boolean }> {
    const { value: change } = await this.#source.next()
    if (!change) throw new GatewayError('UNAVAILABLE', CUT)
    const result = await this.#of.answer(entered, this.#of.scope, change)
    const goesOn = Object.values(result.data ?? {}).some((value) => value !== null)
    if (goesOn) this.#first = result
    return { result, goesOn }
  }

  async next(): Promise<IteratorResult<ExecutionResult, undefined>> {
    const first = this.#first
    this.#first = null
    if (first) return this.#tell(first)
    try {
      const change = await this.#nextChange()
      if (this.#isCut) throw new GatewayError('UNAVAILABLE', CUT)
      if (!change) {
        this.#end()
        return over
      }
      const result = await this.#answerWith(change)
      if (change.kind === 'ENDED') this.#end()
      return this.#tell(result)
    } catch (error) {
      this.#end()
      throw error
    }
  }

  async return(): Promise<IteratorResult<ExecutionResult, undefined>> {
    this.#end()
    return over
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  /** Has its client open another, also where it waits for something else than a change. */
  cut(): void {
    this.#isCut = true
    this.#end()
  }

  /** Has the last event come soon where the credential is over. Whatever began to look may have ended since. */
  async recheck(): Promise<void> {
    const { share } = this.#of.scope
    const caller = await runShared(() => this.#callerNow(), { share }).catch(() => this.#caller)
    if (caller === null) this.#source.wake()
  }

  /** `null`: there are no more. What was of sessions alone, and has left the credential as it was, is nothing to tell. */
  async #nextChange(): Promise<Change | null> {
    while (!this.#isOver) {
      const { value: change } = await this.#source.next()
      if (!change?.isOfSessions) return change ?? null
      const caller = await this.#callerNow().catch(() => null)
      if (caller === null) return change
    }
    return null
  }

  #tell(value: ExecutionResult): IteratorResult<ExecutionResult, undefined> {
    const { scope } = this.#of
    scope.events = (scope.events ?? 0) + 1
    this.#parts.onEvent()
    return { done: false, value }
  }

  /** @throws GatewayError UNAVAILABLE */
  async #answerWith(change: Change): Promise<ExecutionResult> {
    for (let attempt = 1; !this.#isOver && attempt <= MOST_ATTEMPTS; attempt += 1) {
      const result = await this.#try(change)
      const pauseMs = pauseAfter(result, attempt)
      if (pauseMs === null) return result
      await this.#pause(pauseMs)
    }
    throw new GatewayError('UNAVAILABLE', CUT)
  }

  async #try(change: Change): Promise<ExecutionResult> {
    const { admission, queue, tell, timeoutMs } = this.#parts
    const scope = this.#of.scope.forEvent()
    const forget = this.#of.scope.whenEnded((reason) => scope.endEarly(reason))
    const turn = queue.enter(scope.share)
    let deadline: NodeJS.Timeout | undefined
    try {
      if (turn.ready) await turn.ready
      deadline = setTimeout(() => scope.endEarly(tookTooLong()), timeoutMs)
      admission.enter(scope)
      return await runIn(scope, () => this.#answerAnew(change, scope))
    } catch (error) {
      return tell(scope, [asRequestError(error)])
    } finally {
      clearTimeout(deadline)
      turn.leave()
      forget()
      admission.leave(scope, Number.POSITIVE_INFINITY)
      for (const code of scope.codes) this.#of.scope.codes.add(code)
    }
  }

  async #answerAnew(change: Change, scope: RequestScope): Promise<ExecutionResult> {
    const { letIn, turns } = this.#parts
    const { headers, points, answer } = this.#of
    const caller = await this.#callerNow()
    if (caller === null) change.end()
    scope.authenticated = Promise.resolve(caller ?? anonymous)
    scope.cost = caller === null ? 0 : points
    const pace = new Pace(turns, scope)
    const entered = await letIn({ scope, headers, pace, points: scope.cost })
    try {
      return await answer(entered, scope, change)
    } finally {
      entered.place.leave()
    }
  }

  /** `null`: the credential is over. */
  async #callerNow(): Promise<Caller | null> {
    try {
      const caller = await this.#parts.authenticator.again(this.#of.headers)
      const isSame =
        kindOf(caller) === kindOf(this.#caller) && shareOf(caller) === shareOf(this.#caller)
      return isSame ? caller : null
    } catch (error) {
      if (error instanceof GatewayError && error.code === 'UNAUTHENTICATED') return null
      throw error
    }
  }

  #pause(milliseconds: number): Promise<void> {
    return new Promise((goOn) => {
      this.#pausing = { timer: setTimeout(goOn, milliseconds), goOn }
    })
  }

  readonly #end = (): void => {
    if (this.#isOver) return
    this.#isOver = true
    this.#forget?.()
    void this.#source.return()
    clearTimeout(this.#pausing?.timer)
    this.#pausing?.goOn()
    this.#onEnd()
  }
}

const over = { done: true, value: undefined } as const
const CUT = 'The subscription was cut off: subscribe again.'

function tookTooLong(): GatewayError {
  return new GatewayError('TIMEOUT', 'The event took too long.')
}
