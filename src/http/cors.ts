import type { Head } from './head.ts'

/** Headers of answers that a page of another origin needs to read beside the usual ones. */
const exposedHeaders = ['www-authenticate', 'retry-after', 'x-request-id'].join(', ')

/** The longest that Chromium remembers what a page may send; without, a page asks again before nearly every request. */
const MAX_AGE_SECONDS = '7200'

/** Headers of a request by which answers differ, beside what each of them asks for. */
export function credentialHeaders(apiKeys: { readonly header: string } | null): readonly string[] {
  return ['Accept', 'Authorization', 'Cookie', ...(apiKeys ? [apiKeys.header] : [])]
}

/**
 * Header fields of answers. They are somebody's own, also those of GET requests, so no cache keeps them, and caches between
 * that do all the same must not hand that for one credential, one origin or none to another. Pages of these origins are let
 * read them, and send credentials; a page that asks first hears that it may send what it asks about.
 * @param varyBy Headers of a request by which answers differ, beside its origin.
 */
export function corsFor(origins: readonly string[], varyBy: readonly string[]) {
  const names = origins.length === 0 ? varyBy : [...varyBy, 'Origin']
  const always = { 'cache-control': 'no-store', vary: names.join(', ') }
  const varyOfPreflight = ['Access-Control-Request-Headers', ...names].join(', ')
  return (head: Head): Readonly<Record<string, string>> => {
    const origin = head.header('origin')
    if (origin === undefined || !origins.includes(origin)) return always
    const method = head.header('access-control-request-method')
    const headers = head.header('access-control-request-headers')
    return {
      ...always,
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
        : { 'access-control-allow-headers': headers, vary: varyOfPreflight }),
    }
  }
}
