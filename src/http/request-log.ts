import type { Exchange } from './exchange.ts'
import type { Ended } from './exchanges.ts'

/**
 * The one line that is logged of a request. It names what was asked only where that is one of the operator's own
 * documents, and holds nothing else of what the client sent but method, path and, where well-formed, its id.
 */
export function toLogLine(exchange: Exchange, { status, durationMs }: Ended): object {
  const { id, method, path, operations, caller, codes } = exchange
  return {
    requestId: id,
    method,
    path,
    status,
    durationMs: Math.round(durationMs),
    ...(operations.length === 0 ? {} : { operations }),
    ...(caller === null ? {} : { caller }),
    ...(codes.size === 0 ? {} : { codes: [...codes] }),
  }
}

/** Asked by machines every few seconds. */
export function isProbe({ path }: Exchange): boolean {
  return path === '/health' || path === '/ready'
}
