import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { type ClientLimits, limitConnections, serverOptions, usualLimits } from './client-limits.ts'

export interface Server {
  /** Where it listens, for example `http://127.0.0.1:4000`. */
  readonly url: string
  /**
   * Stops in order: no longer ready, but still answering for the time of grace; then no new connections, requests under
   * way end, the gateway closes.
   */
  stop(): Promise<void>
}

export interface ServerOptions {
  readonly host: string
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

/** What is served, and closed at the end. */
export interface Served {
  readonly node: RequestListener
  close(): Promise<void>
}

/** Requests that have not ended this long after the stop are cut off. */
const DRAIN_MS = 10_000

export async function startServer(served: Served, options: ServerOptions): Promise<Server> {
  const { shutdownGraceMs = 0, keepAliveTimeoutMs, limits = usualLimits } = options
  let draining = false
  // Until then an idle connection may be just about to carry a request.
  let accepting = true
  const idleMs = keepAliveTimeoutMs ?? limits.idleMs
  const server = createServer(serverOptions({ ...limits, idleMs }), (request, response) => {
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
  limitConnections(server, limits)
  const sockets = new Set<Socket>()
  server.on('connection', (socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(options.port, options.host, resolve)
  })
  return {
    url: urlOf(server.address() as AddressInfo),
    stop: async () => {
      draining = true
      await sleep(shutdownGraceMs)
      accepting = false
      const ended = new Promise((resolve) => server.close(resolve))
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
