import { AsyncLocalStorage } from 'node:async_hooks'
import { setMaxListeners } from 'node:events'
import type { Askers } from './domain/askers.ts'
import type { Caller, IgnoredCookie } from './domain/caller.ts'
import { GatewayError } from './domain/errors.ts'
import type { Spent } from './domain/rate.ts'

/** One HTTP request and its answer, while it is under way: what is known of it, for the log, the metrics and the client. */
export class RequestScope {
  /** In the `x-request-id` header, the log line and `extensions.requestId` of every error. */
  readonly id: string
  readonly method: string
  /** Without the query. */
  readonly path: string
  /** `performance.now()` at its begin. */
  readonly begunAt = performance.now()
  /** Operations that are being answered; a batch has several. */
  admitted = 0
  /** Whether some of it was refused for want of room. */
  shed = false
  /** Who called, once for all its operations: a proof counts once; `null`: nobody has asked yet. */
  authenticated: Promise<Caller> | null = null
  /** The kind of whoever called. */
  caller: string | null = null
  /** Where it comes from, as far as proxies are believed. */
  readonly address: string
  /** Whose share of what is bounded it uses: its address's, until it is known who calls. */
  share: string
  /** Operations that it asks for, as far as they are known; a batch has several. */
  asked = 0
  /** What these cost, in points. */
  cost = 0
  /** Whether that is so much that it goes among its like. */
  isHeavy = false
  /** What PostgreSQL has told for it alone. */
  bytesRead = 0
  /** What its caller may still spend; `null`: any number of points. */
  budget: Spent | null = null
  /** What kinds of operation it asked for, with their names where those are of a closed set. */
  readonly operations: { readonly type: string; readonly name: string | null }[] = []
  /** Whether it asks for several operations at once. */
  isBatch = false
  /** Whether events can be sent to it one after the other. */
  takesEvents = false
  /** Whether it is one event of a request, and so no request that anybody sent. */
  isEvent = false
  /** Events that were sent to it; `null`: it is answered once. */
  events: number | null = null
  /** Of every error that its answer holds. */
  readonly codes = new Set<string>()
  /** Whether its answer has been sent or given up: nobody is told anything any more. */
  ended = false
  /** Why the cookie of a session that came with it does not count. */
  cookieIgnored: IgnoredCookie | null = null
  /** Which check refused its credential. */
  refusedFor: string | null = null
  #reason: GatewayError | undefined
  #controller: AbortController | undefined
  readonly #whenEnded = new Set<(reason: GatewayError) => void>()

  constructor({
    id,
    method,
    path,
    address,
  }: Pick<RequestScope, 'id' | 'method' | 'path' | 'address'>) {
    this.id = id
    this.method = method
    this.path = path
    this.address = address
    this.share = `address:${address}`
  }

  /** What answering with one event belongs to: it has a deadline of its own, and ends early with the request. */
  forEvent(): RequestScope {
    const { id, method, path, address } = this
    const scope = new RequestScope({ id, method, path, address })
    scope.share = this.share
    scope.isEvent = true
    return scope
  }

  /** Whether it was refused for want of room, is past its deadline or has lost its client: errors need no explanation. */
  get isGivenUp(): boolean {
    return this.shed || this.#reason !== undefined
  }

  /** Aborted when it ends early; made for those who ask, which few requests do. What others wait for may not hang on it. */
  get signal(): AbortSignal {
    if (!this.#controller) {
      this.#controller = new AbortController()
      // Every statement of a request listens for its end.
      setMaxListeners(0, this.#controller.signal)
      if (this.#reason) this.#controller.abort(this.#reason)
    }
    return this.#controller.signal
  }

  /** Tells once when it ends early, at once where it has. Returns what makes it not tell. */
  whenEnded(tell: (reason: GatewayError) => void): () => void {
    if (this.#reason) tell(this.#reason)
    else this.#whenEnded.add(tell)
    return () => this.#whenEnded.delete(tell)
  }

  /** Its deadline has passed or its client is gone. The first reason counts. */
  endEarly(reason: GatewayError): void {
    if (this.#reason) return
    this.#reason = reason
    this.#controller?.abort(reason)
    for (const tell of this.#whenEnded) tell(reason)
  }
}

/** Work of several requests. */
interface Shared {
  readonly share: string
  readonly signal: AbortSignal | undefined
}

const underWay = new AsyncLocalStorage<RequestScope | Shared>()

/** The one that whatever runs now belongs to. Absent: none, or what runs is shared by several. */
export function currentScope(): RequestScope | undefined {
  const current = underWay.getStore()
  return current instanceof RequestScope ? current : undefined
}

/** What parts of the program know of requests, which may read so much. */
export function askersOf(mostBytes: number): Askers {
  return {
    signal: currentSignal,
    share: currentShare,
    whenEnded,
    waitFor,
    runShared,
    mostBytes,
    onBytes: () => meterOf(mostBytes),
  }
}

/** Aborted when nobody waits any more for what runs now. */
function currentSignal(): AbortSignal | undefined {
  return underWay.getStore()?.signal
}

/** Whose share what runs now uses. */
function currentShare(): string {
  return underWay.getStore()?.share ?? OWN_SHARE
}

export function runIn<Result>(scope: RequestScope, work: () => Result): Result {
  return underWay.run(scope, work)
}

/**
 * For work that several requests may wait for: it goes on when the one that began it is cancelled. It uses the share of
 * that one, unless another is named.
 */
export function runShared<Result>(
  work: () => Result,
  { share = currentShare(), signal }: { share?: string; signal?: AbortSignal } = {},
): Result {
  return underWay.run({ share, signal }, work)
}

/** As `RequestScope.whenEnded`, of the request that asks now; what belongs to none does not end early. */
function whenEnded(tell: (reason: GatewayError) => void): () => void {
  return currentScope()?.whenEnded(tell) ?? (() => {})
}

/**
 * What may have been begun by another request, as far as the one that asks now waits for it.
 * @throws GatewayError the reason for which this request ends early.
 */
export function waitFor<Result>(work: Promise<Result>): Promise<Result> {
  const scope = currentScope()
  if (!scope) return work
  return new Promise((resolve, reject) => {
    const forget = scope.whenEnded(reject)
    work.then(resolve, reject).finally(forget)
  })
}

/** Counts what is read for the request that asks now, which ends early with LIMIT_EXCEEDED when it is more than this. */
function meterOf(most: number): (bytes: number) => void {
  const scope = currentScope()
  return (bytes) => {
    if (!scope) return
    scope.bytesRead += bytes
    if (scope.bytesRead > most) scope.endEarly(new GatewayError('LIMIT_EXCEEDED', READS_TOO_MUCH))
  }
}

const READS_TOO_MUCH = 'Too much has to be read for this request: ask for less.'

/** Of what the gateway does for itself, such as its probes. */
const OWN_SHARE = 'gateway'
