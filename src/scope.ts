import { AsyncLocalStorage } from 'node:async_hooks'
import { setMaxListeners } from 'node:events'
import type { GatewayError } from './domain/errors.ts'

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
  /** The kind of whoever called. */
  caller: string | null = null
  /** What kinds of operation it asked for, with their names where those are of a closed set. */
  readonly operations: { readonly type: string; readonly name: string | null }[] = []
  /** Of every error that its answer holds. */
  readonly codes = new Set<string>()
  /** Whether its answer has been sent or given up: nobody is told anything any more. */
  ended = false
  /** Which check refused its credential. */
  refusedFor: string | null = null
  #reason: GatewayError | undefined
  #controller: AbortController | undefined

  constructor({ id, method, path }: Pick<RequestScope, 'id' | 'method' | 'path'>) {
    this.id = id
    this.method = method
    this.path = path
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

  /** Its deadline has passed or its client is gone. The first reason counts. */
  endEarly(reason: GatewayError): void {
    this.#reason ??= reason
    this.#controller?.abort(this.#reason)
  }
}

const underWay = new AsyncLocalStorage<RequestScope>()

/** The one that whatever runs now belongs to. Absent: none, or what runs is shared by several. */
export function currentScope(): RequestScope | undefined {
  return underWay.getStore()
}

export function runIn<Result>(scope: RequestScope, work: () => Result): Result {
  return underWay.run(scope, work)
}

/** For work that several requests may wait for: it goes on when the one that began it is cancelled. */
export function runShared<Result>(work: () => Result): Result {
  return underWay.exit(work)
}
