import type { Server, ServerOptions } from 'node:http'

/** How long clients may take. Whoever is slower is answered 408, or cut off where an answer has begun. */
export interface ClientLimits {
  /** For the headers of a request. */
  readonly headersMs: number
  /** For a whole request, its body included. */
  readonly requestMs: number
  /** Without a byte either way, while a request or its answer is under way. */
  readonly silenceMs: number
  /** Between requests on one connection. Longer than balancers keep idle connections, so that they close first. */
  readonly idleMs: number
  readonly mostConnections: number
}

export const usualLimits: ClientLimits = {
  headersMs: 5_000,
  requestMs: 15_000,
  silenceMs: 30_000,
  idleMs: 65_000,
  mostConnections: 10_000,
}

/** How often the first two limits are looked after. */
const CHECK_MS = 500
/** Room for the longest credential, a cookie beside it and what proxies add. */
const LARGEST_HEADERS_BYTES = 16 * 1024

export function serverOptions({ headersMs, requestMs, idleMs }: ClientLimits): ServerOptions {
  return {
    headersTimeout: headersMs,
    requestTimeout: requestMs,
    keepAliveTimeout: idleMs,
    connectionsCheckingInterval: Math.min(CHECK_MS, headersMs),
    maxHeaderSize: LARGEST_HEADERS_BYTES,
  }
}

export function limitConnections(server: Server, limits: ClientLimits): void {
  server.maxConnections = limits.mostConnections
  server.setTimeout(limits.silenceMs)
}
