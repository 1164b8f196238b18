import type { Plugin } from 'graphql-yoga'

/** Headers of answers that a page of another origin needs to read beside the usual ones. */
const exposedHeaders = ['www-authenticate', 'retry-after']

/** Which pages a browser lets read the answers: those of the origins given, with credentials. */
export function corsFor(origins: readonly string[]) {
  return ({ headers }: Request) => {
    const origin = headers.get('origin')
    if (origin === null || !origins.includes(origin)) return false
    return { origin: [origin], credentials: true, exposedHeaders }
  }
}

/** Caches between must not hand the answer for one origin, or for none, to a page of another. */
export function useVaryByOrigin(origins: readonly string[]): Plugin {
  if (origins.length === 0) return {}
  return {
    onResponse: ({ response }) => response.headers.append('vary', 'Origin'),
  }
}
