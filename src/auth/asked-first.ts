/** What a client sends along to have a cookie count with a request that has no JSON body. */
const ASKS_FIRST = 'graphql-require-preflight'

/**
 * Whether a browser would have sent this only for a page of this host or of an allowed origin. JSON and headers of its
 * own need a page to ask first, across origins (CORS); links, images, scripts and forms are sent without asking, with
 * the cookies of whoever sits there.
 */
export function isAskedFirst(
  headers: { get(name: string): string | null },
  allowedOrigins: readonly string[],
): boolean {
  const origin = headers.get('origin')
  if (origin !== null && !allowedOrigins.includes(origin) && hostOf(origin) !== headers.get('host'))
    return false
  const [mediaType = ''] = (headers.get('content-type') ?? '').split(';', 1)
  return mediaType.trim().toLowerCase() === 'application/json' || headers.get(ASKS_FIRST) !== null
}

/** `undefined` for the opaque origin `null`. */
function hostOf(origin: string): string | undefined {
  return URL.canParse(origin) ? new URL(origin).host : undefined
}
