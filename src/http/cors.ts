import type { Head } from './head.ts'

/** Headers of answers that a page of another origin needs to read beside the usual ones. */
const exposedHeaders = ['www-authenticate', 'retry-after', 'x-request-id'].join(', ')

/** The longest that Chromium remembers what a page may send; without, a page asks again before nearly every request. */
const MAX_AGE_SECONDS = '7200'

/**
 * Header fields that let pages of these origins read an answer, and send credentials; a page that asks first hears that
 * it may send what it asks about. Caches between must not hand the answer for one origin, or for none, to another.
 */
export function corsFor(origins: readonly string[]) {
  const vary = origins.length === 0 ? {} : { vary: 'Origin' }
  return (head: Head): Readonly<Record<string, string>> => {
    const origin = head.header('origin')
    if (origin === undefined || !origins.includes(origin)) return vary
    const method = head.header('access-control-request-method')
    const headers = head.header('access-control-request-headers')
    return {
      ...vary,
      'access-control-allow-origin': origin,
      'access-control-allow-credentials': 'true',
      'access-control-expose-headers': exposedHeaders,
      ...(method === undefined
        ? {}
        : {
            'access-control-allow-methods': method,
            'access-control-max-age': MAX_AGE_SECONDS,
          }),
      ...(headers === undefined
        ? {}
        : {
            'access-control-allow-headers': headers,
            vary: 'Access-Control-Request-Headers, Origin',
          }),
    }
  }
}
