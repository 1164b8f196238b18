import { randomUUID } from 'node:crypto'
import type { IncomingMessage } from 'node:http'

/** What a request says before its body, whichever server read it. */
export interface Head {
  readonly method: string
  /** Path and query, as sent. */
  readonly target: string
  /** Without the query. */
  readonly path: string
  /**
   * Which of the gateway's own places is meant: the last part of the path, such as `/graphql`. What is before it is where
   * an application mounts the gateway, or what a proxy leaves in place.
   */
  readonly place: string
  /** `http` or `https`, of the connection to the gateway itself. */
  readonly scheme: string
  /** Whom it is addressed to, with the port if it names one. */
  host(): string | undefined
  /** By its name in lower case. */
  header(name: string): string | undefined
  /** The other end of the connection; absent where there is none. */
  readonly remoteAddress: string | undefined
}

export function headOfNode(request: IncomingMessage & { readonly originalUrl?: unknown }): Head {
  const { method = '', url = '', originalUrl, headers, socket } = request
  const path = pathOf(url)
  return {
    method,
    target: url,
    path,
    // What is mounted at `/graphql` itself is called with the rest, which is nothing.
    place: placeOf(path === '/' && typeof originalUrl === 'string' ? pathOf(originalUrl) : path),
    scheme: 'encrypted' in socket ? 'https' : 'http',
    host: () => headers.host,
    header: (name) => {
      const value = headers[name]
      return typeof value === 'string' ? value : undefined
    },
    remoteAddress: socket.remoteAddress,
  }
}

export function headOfFetch({ method, url, headers }: Request): Head {
  const target = url.replace(/^[a-z]+:\/\/[^/]*/i, '')
  return {
    method,
    target,
    path: pathOf(target),
    place: placeOf(pathOf(target)),
    scheme: url.slice(0, url.indexOf(':')).toLowerCase(),
    host: () => headers.get('host') ?? new URL(url).host,
    header: (name) => headers.get(name) ?? undefined,
    remoteAddress: undefined,
  }
}

/** The headers of a request of `node:http`, as the Fetch API asks for them. */
export function headersOf({ headers }: IncomingMessage): Pick<Headers, 'get'> {
  return { get: (name) => headers[name]?.toString() ?? null }
}

function placeOf(path: string): string {
  const end = path.endsWith('/') ? path.length - 1 : path.length
  return path.slice(Math.max(0, path.lastIndexOf('/', end - 1)), end) || '/'
}

function pathOf(target: string): string {
  return target.split(/[?#]/, 1)[0] || '/'
}

/** What may be copied into a header, a log line and an answer: no spaces, no controls, no quotes. */
const WELL_FORMED_ID = /^[\w.:-]{8,128}$/
const TRACE_PARENT = /^[\da-f]{2}-(?!0{32})([\da-f]{32})-[\da-f]{16}-[\da-f]{2}$/

/**
 * The id by which a request is known to everybody it passes through: that of its X-Request-Id header, or the trace of
 * its traceparent, if they are well-formed; else a new one.
 */
export function requestIdOf({ header }: Pick<Head, 'header'>): string {
  const given = header('x-request-id')
  if (given !== undefined && WELL_FORMED_ID.test(given)) return given
  return TRACE_PARENT.exec(header('traceparent') ?? '')?.[1] ?? randomUUID()
}

/** A name or an address, and perhaps a port: nothing that could move what follows into another part of a URL. */
const HOST = /^(?:[\w.-]+|\[[\da-f:.]+\])(?::\d{1,5})?$/i

/**
 * Whether the Host header and the target make a URL. What does not is refused before anything else sees it: HTTP wants
 * 400 for it, and libraries throw.
 */
export function namesTarget({ header, target }: Head): boolean {
  const host = header('host')
  // What begins with two slashes would be read as another host.
  return (
    (host === undefined || HOST.test(host)) &&
    /^\/(?!\/)/.test(target) &&
    URL.canParse(`http://${host ?? 'unnamed'}${target}`)
  )
}
