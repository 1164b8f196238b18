import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'

export interface Server {
  /** Where it listens, for example `http://127.0.0.1:4000`. */
  readonly url: string
  /**
   * Stops in order: no longer ready, but still answering for the time of grace; then no new connections, streams are
   * cut off, requests under way end, the gateway closes.
   */
  stop(): Promise<void>
}

export interface ServerOptions {
  /** `null`: every address, of IPv4 alone where there is no IPv6. */
  readonly host: string | null
  /** 0: any free one. */
  readonly port: number
  /** Names a request may be addressed to in its Host header; others are refused. Absent: any. */
  readonly hosts?: readonly string[]
  /** From when it is no longer ready to when it accepts no more (0). */
  readonly shutdownGraceMs?: number
  /** How long a connection is kept between requests. */
  readonly keepAliveTimeoutMs?: number
  readonly limits?: ClientLimits
}

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

/** What is served, and closed at the end. */
export interface Served {
  readonly node: RequestListener
  /** Ends answers that would not end by themselves, so that their clients ask elsewhere. */
  drain?(): void
  close(): Promise<void>
}

/** Requests that have not ended this long after the stop are cut off. */
const DRAIN_MS = 10_000

export async function startServer(served: Served, options: ServerOptions): Promise<Server> {
  const { shutdownGraceMs = 0, keepAliveTimeoutMs, limits = usualLimits } = options
  let draining = false
  // Until then an idle connection may be just about to carry a request.
  let accepting = true
  const timing = {
    headersTimeout: limits.headersMs,
    requestTimeout: limits.requestMs,
    keepAliveTimeout: keepAliveTimeoutMs ?? limits.idleMs,
    connectionsCheckingInterval: Math.min(CHECK_MS, limits.headersMs),
    maxHeaderSize: LARGEST_HEADERS_BYTES,
  }
  const server = createServer(timing, (request, response) => {
    if (draining) response.setHeader('connection', 'close')
    response.once('close', () => {
      if (!accepting) server.closeIdleConnections()
    })
    if (draining && request.url === '/ready')
      response.writeHead(503).end('The gateway is stopping.\n')
    else if (options.hosts && !options.hosts.includes(hostOf(request.headers.host)))
      response.writeHead(421).end('This name is not served here.\n')
    else served.node(request, response)
  })
  server.maxConnections = limits.mostConnections
  server.setTimeout(limits.silenceMs)
  const sockets = new Set<Socket>()
  server.on('connection', (socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(options.port, options.host ?? undefined, resolve)
  })
  return {
    url: urlOf(server.address() as AddressInfo),
    stop: async () => {
      draining = true
      await sleep(shutdownGraceMs)
      accepting = false
      const ended = new Promise((resolve) => server.close(resolve))
      served.drain?.()
      server.closeIdleConnections()
      // Node.js takes a connection that has not said anything yet for one that is busy.
      for (const socket of sockets) if (socket.bytesRead === 0) socket.destroy()
      const cut = setTimeout(() => server.closeAllConnections(), DRAIN_MS)
      await ended
      clearTimeout(cut)
      await served.close()
    },
  }
}

function hostOf(header = ''): string {
  return header.replace(/:\d+$/, '').toLowerCase()
}

function urlOf({ address, family, port }: AddressInfo): string {
  return `http://${family === 'IPv6' ? `[${address}]` : address}:${port}`
}
