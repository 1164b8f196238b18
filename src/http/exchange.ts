import { AsyncLocalStorage } from 'node:async_hooks'
import type { Ending } from './ending.ts'

/** One HTTP request and its answer, while it is under way: what is known of it, for the log, the metrics and the client. */
export interface Exchange {
  /** In the `x-request-id` header, the log line and `extensions.requestId` of every error. */
  readonly id: string
  readonly method: string
  /** Without the query. */
  readonly path: string
  /** `performance.now()` at its begin. */
  readonly begunAt: number
  /** When the deadline has passed or the client is gone. Nothing that others wait for as well may hang on its signal. */
  readonly ending: Ending
  /** Operations of a batch that are being answered. */
  admitted: number
  /** Whether some of it was refused for want of room. */
  shed: boolean
  caller: string | null
  /** What kinds of operation it asked for, with their names where those are of a closed set. */
  readonly operations: { readonly type: string; readonly name: string | null }[]
  /** Of every error that its answer holds. */
  readonly codes: Set<string>
}

const underWay = new AsyncLocalStorage<Exchange>()

/** The one that whatever runs now belongs to. Absent: none, or what runs is shared by several. */
export function currentExchange(): Exchange | undefined {
  return underWay.getStore()
}

export function runIn<Result>(exchange: Exchange, work: () => Result): Result {
  return underWay.run(exchange, work)
}

/** For work that several requests may wait for: it goes on when the one that began it is cancelled. */
export function runShared<Result>(work: () => Result): Result {
  return underWay.exit(work)
}

export function createExchange(
  request: Pick<Exchange, 'id' | 'method' | 'path'>,
  ending: Ending,
): Exchange {
  return {
    ...request,
    begunAt: performance.now(),
    ending,
    admitted: 0,
    shed: false,
    caller: null,
    operations: [],
    codes: new Set(),
  }
}
