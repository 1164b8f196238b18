import type { Plugin } from 'graphql-yoga'

/** Headers of answers that a page of another origin needs to read beside the usual ones. */
const exposedHeaders = ['www-authenticate', 'retry-after', 'x-request-id']

/** Which pages a browser lets read the answers: those of the origins given, with credentials. */
export function corsFor(origins: readonly string[]) {
  return ({ headers }: Request) => {
    const origin = headers.get('origin')
    if (origin === null || !origins.includes(origin)) return false
    return { origin: [origin], credentials: true, exposedHeaders }
  }
}

/** The same as headers, for answers that Yoga does not write. */
export function corsHeaders(origins: readonly string[]) {
  const vary = origins.length === 0 ? {} : { vary: 'Origin' }
  return (origin: string | undefined): Readonly<Record<string, string>> =>
    origin === undefined || !origins.includes(origin)
      ? vary
      : {
          ...vary,
          'access-control-allow-origin': origin,
          'access-control-allow-credentials': 'true',
          'access-control-expose-headers': exposedHeaders.join(', '),
        }
}

/** Caches between must not hand the answer for one origin, or for none, to a page of another. */
export function useVaryByOrigin(origins: readonly string[]): Plugin {
  if (origins.length === 0) return {}
  return {
    onResponse: ({ response }) => response.headers.append('vary', 'Origin'),
  }
}
