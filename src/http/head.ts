import type { IncomingMessage } from 'node:http'

/** What a request says before its body, whichever server read it. */
export interface Head {
  readonly method: string
  /** Path and query, as sent. */
  readonly target: string
  /** Without the query. */
  readonly path: string
  /** By its name in lower case. */
  header(name: string): string | undefined
  /** The other end of the connection; absent where there is none. */
  readonly remoteAddress: string | undefined
}

export function headOfNode({ method = '', url = '', headers, socket }: IncomingMessage): Head {
  return {
    method,
    target: url,
    path: pathOf(url),
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
    header: (name) => headers.get(name) ?? undefined,
    remoteAddress: undefined,
  }
}

function pathOf(target: string): string {
  return target.split(/[?#]/, 1)[0] || '/'
}
