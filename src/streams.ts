import type { ExecutionResult } from 'graphql'
import { partOf } from './domain/caller.ts'
import type { ChangeStream } from './domain/changes.ts'
import { FairQueue } from './domain/fair-queue.ts'
import { badRequest, requestError } from './operation/errors.ts'
import { Pace } from './operation/turns.ts'
import type { RequestScope } from './scope.ts'
import { EventStream, type StreamParts, type Subscription } from './stream.ts'

export interface StreamsOptions extends Omit<StreamParts, 'queue'> {
  /** Subscriptions at once. */
  readonly most: number
  /** Of one caller who is no service. */
  readonly mostPerCaller: number
  /** Told when nobody is to wait for changes any more. */
  readonly onClose: () => void
}

/** Events that are answered with at once, of all subscriptions. */
const AT_ONCE = 16
/** So often it is looked whether credentials are over of which no notice comes. */
const RECHECK_MS = 30_000

/** All subscriptions of this process, which are bounded: in all, and of each caller. */
export class Streams {
  readonly #options: StreamsOptions
  readonly #parts: StreamParts
  readonly #open = new Set<EventStream>()
  /** By share; those that are being opened count. */
  readonly #counts = new Map<string, number>()
  #count = 0
  #recheck: NodeJS.Timeout | undefined

  constructor(options: StreamsOptions) {
    this.#options = options
    const queue = new FairQueue({
      capacity: AT_ONCE,
      partOf,
      mostWaiting: Number.POSITIVE_INFINITY,
      full: '',
    })
    this.#parts = { ...options, queue }
  }

  get count(): number {
    return this.#count
  }

  /** @throws GraphQLError BAD_REQUEST when events cannot be sent to whoever asks. */
  checkTakesEvents({ isBatch, takesEvents }: RequestScope): void {
    if (isBatch) throw badRequest(400, 'A subscription is a request of its own, and in no batch.')
    if (!takesEvents) throw badRequest(406, NO_EVENTS, { headers: { accept: 'text/event-stream' } })
  }

  /**
   * Its events, or what it is refused with. They begin with one that is answered before anything is sent, so that what is
   * refused is refused as a query would be.
   * @throws GatewayError or GraphQLError when whoever asks is not let in
   */
  async open(of: Subscription): Promise<EventStream | ExecutionResult> {
    const { letIn, turns, tell } = this.#parts
    const { scope, headers, points } = of
    const pace = new Pace(turns, scope)
    const entered = await letIn({ scope, headers, pace, points })
    const release = this.#take(scope.share)
    let stream: EventStream | undefined
    try {
      const source = await of.subscribe(entered)
      if (!(Symbol.asyncIterator in source))
        return { ...source, ...tell(scope, source.errors ?? []) }
      const onEnd = () => {
        if (stream) this.#open.delete(stream)
        release()
      }
      const from = { caller: entered.caller, source: source as ChangeStream, onEnd }
      stream = new EventStream(this.#parts, of, from)
      const { result, goesOn } = await stream.begin(entered)
      if (!goesOn || stream.isOver) return result
      scope.events = 0
      this.#keep(stream)
      return stream
    } finally {
      entered.place.leave()
      if (!stream || !this.#open.has(stream)) {
        await stream?.return()
        release()
      }
    }
  }

  /** Cuts off all of them, so that their clients ask again elsewhere, and lets nobody begin another. */
  close(): void {
    clearTimeout(this.#recheck)
    this.#options.onClose()
    for (const stream of this.#open) stream.cut()
  }

  /** @throws GraphQLError LIMIT_EXCEEDED or UNAVAILABLE */
  #take(share: string): () => void {
    const { most, mostPerCaller } = this.#options
    const own = this.#counts.get(share) ?? 0
    const mostOwn = share.startsWith('service:') ? Math.ceil(most * partOf(share)) : mostPerCaller
    if (own >= mostOwn)
      throw requestError('LIMIT_EXCEEDED', `A caller has at most ${mostOwn} subscriptions.`, {
        status: 429,
        headers: { 'retry-after': '10' },
      })
    if (this.#count >= most)
      throw requestError('UNAVAILABLE', 'There are too many subscriptions: try again later.', {
        status: 503,
        headers: { 'retry-after': '10' },
      })
    this.#count += 1
    this.#counts.set(share, own + 1)
    let isReleased = false
    return () => {
      if (isReleased) return
      isReleased = true
      this.#count -= 1
      const left = (this.#counts.get(share) ?? 1) - 1
      if (left > 0) this.#counts.set(share, left)
      else this.#counts.delete(share)
    }
  }

  #keep(stream: EventStream): void {
    this.#open.add(stream)
    this.#recheck ??= setTimeout(this.#recheckAll, RECHECK_MS).unref()
  }

  /** One after the other, because nothing waits for it. */
  readonly #recheckAll = async (): Promise<void> => {
    for (const stream of [...this.#open]) await stream.recheck()
    const isNeeded = this.#open.size > 0
    this.#recheck = isNeeded ? setTimeout(this.#recheckAll, RECHECK_MS).unref() : undefined
  }
}

const NO_EVENTS =
  'A subscription is answered with Server-Sent Events: send the header Accept: text/event-stream.'
