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
  readonly ending = new Ending()
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

  constructor({ id, method, path }: Pick<RequestScope, 'id' | 'method' | 'path'>) {
    this.id = id
    this.method = method
    this.path = path
  }

  /** Whether it was refused for want of room, is past its deadline or has lost its client: errors need no explanation. */
  get isGivenUp(): boolean {
    return this.shed || this.ending.isEarly
  }
}

/**
 * The end of a request, when its deadline has passed or its client is gone. It is an AbortController that is made when
 * somebody asks for its signal, which few requests do. Nothing that others wait for as well may hang on that signal.
 */
export class Ending {
  #reason: GatewayError | undefined
  #controller: AbortController | undefined

  get isEarly(): boolean {
    return this.#reason !== undefined
  }

  get signal(): AbortSignal {
    if (!this.#controller) {
      this.#controller = new AbortController()
      // Every statement of a request listens for its end.
      setMaxListeners(0, this.#controller.signal)
      if (this.#reason) this.#controller.abort(this.#reason)
    }
    return this.#controller.signal
  }

  /** The first reason counts. */
  abort(reason: GatewayError): void {
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
