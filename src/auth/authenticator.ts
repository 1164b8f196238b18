import {
  type Authenticator,
  anonymous,
  anonymousFor,
  type Caller,
  type IgnoredCookie,
} from '../domain/caller.ts'
import type { ApiKeyVerifier } from './api-key.ts'
import type { Presented, ProofVerifier } from './dpop.ts'
import type { Verified } from './jwt.ts'
import type { OpaqueTokenVerifier } from './opaque-token.ts'
import { refused } from './refused.ts'
import { hasSessionCookie, type SessionVerifier } from './session.ts'

/** Longer credentials are refused before they are parsed. In characters. */
const LONGEST_TOKEN = 8192

/**
 * Finds the one credential of a request that counts. An Authorization header decides alone, whatever cookie came with
 * it, and is refused when it is bad. An API key is next: it was sent on purpose,
 * but gateways in front of others have such headers too, and only somebody who means to be signed in here sends the first.
 * Browsers send cookies unasked, so one that is stale or forged is as good as none, and so is one that another site may
 * have had them send.
 * @param by What recognises each; `null`: those are no credentials here. Proofs are of tokens that are bound to a key.
 * @param options See `AuthOptions`.
 */
export function createAuthenticator(
  by: {
    readonly verifyJwt: (token: string) => Verified | Promise<Verified>
    readonly opaqueTokens: OpaqueTokenVerifier | null
    readonly verifyProof: ProofVerifier | null
    readonly sessions: SessionVerifier | null
    readonly apiKeys: ApiKeyVerifier | null
  },
  options: {
    readonly origins: readonly string[]
    readonly ignoreBasic: boolean
    readonly sessionCookie: string | undefined
  },
): Authenticator {
  const { origins, ignoreBasic, sessionCookie } = options
  const { verifyJwt, opaqueTokens, verifyProof, sessions, apiKeys } = by
  const byToken = async (
    header: string,
    signed: Pick<Presented, 'proof' | 'method' | 'url'> | null,
  ): Promise<Caller> => {
    const [, scheme, token] = /^(Bearer|DPoP) +([\w.~+/=%-]+)$/i.exec(header) ?? []
    if (token === undefined) throw refused('malformed')
    if (token.length > LONGEST_TOKEN) throw refused('too long')
    const isBearer = scheme?.toLowerCase() === 'bearer'
    const verify = opaqueTokens?.resembles(token) ? opaqueTokens.verify : isJwt(token) && verifyJwt
    if (verify) {
      const { caller, boundTo } = await verify(token)
      if (isBearer !== (boundTo === null)) throw refused('scheme')
      if (boundTo === null) return caller
      if (!verifyProof) throw refused('needs PUBLIC_URL')
      if (signed) await verifyProof({ token, boundTo, ...signed })
      return caller
    }
    if (!isBearer) throw refused('scheme')
    if (!sessions) throw refused('needs AUTH_SESSIONS')
    const caller = await sessions.findByToken(token)
    if (!caller) throw refused('session')
    return caller
  }
  const find = async (
    headers: { get(name: string): string | null },
    request: Pick<Presented, 'method' | 'url'> | null,
  ): Promise<Caller> => {
    const authorization = headers.get('authorization')
    const isForeign = ignoreBasic && authorization !== null && /^basic /i.test(authorization)
    if (authorization !== null && !isForeign)
      return byToken(authorization, request && { proof: headers.get('dpop'), ...request })
    const key = apiKeys && headers.get(apiKeys.header)
    if (apiKeys && key !== null) return apiKeys.verify(key)
    const cookies = headers.get('cookie')
    if (cookies === null || sessionCookie === undefined) return anonymous
    if (!hasSessionCookie(cookies, sessionCookie)) return anonymous
    if (!sessions) return anonymousFor('needs AUTH_SESSIONS')
    const distrust = whyNotAskedFirst(headers, origins)
    if (distrust) return anonymousFor(distrust)
    const found = await sessions.findByCookie(cookies)
    return typeof found === 'string' ? anonymousFor(found) : found
  }
  return {
    authenticate: (headers, method, url) => find(headers, { method, url }),
    again: (headers) => find(headers, null),
  }
}

/** A JWT has three parts; a signed session token, of which no character is encoded as a dot, has two. */
function isJwt(token: string): boolean {
  return token.split('.').length === 3
}

/** What a client sends along to have a cookie count with a request that has no JSON body: either of them. */
const ASK_FIRST = ['graphql-require-preflight', 'apollo-require-preflight']

/**
 * Why a browser may have sent this for a page that is not of this host nor of an allowed origin; `null`: it may not. JSON
 * and headers of its own need a page to ask first, across origins (CORS); links, images, scripts and forms are sent without
 * asking, with the cookies of whoever sits there.
 */
function whyNotAskedFirst(
  headers: { get(name: string): string | null },
  allowedOrigins: readonly string[],
): IgnoredCookie | null {
  const origin = headers.get('origin')
  if (origin !== null && !allowedOrigins.includes(origin) && hostOf(origin) !== headers.get('host'))
    return 'origin'
  if (
    isEventSource(headers) &&
    (origin !== null || headers.get('sec-fetch-site') === 'same-origin')
  )
    return null
  const [mediaType = ''] = (headers.get('content-type') ?? '').split(';', 1)
  const isJson = mediaType.trim().toLowerCase() === 'application/json'
  return isJson || ASK_FIRST.some((name) => headers.get(name) !== null) ? null : 'needs preflight'
}

/**
 * `EventSource` of browsers can send no headers. What it asks for is read by nobody but a page of this host, or of an
 * origin that was allowed, and the browser says which.
 */
function isEventSource(headers: { get(name: string): string | null }): boolean {
  return headers.get('accept') === 'text/event-stream'
}

/** `undefined` for the opaque origin `null`. */
function hostOf(origin: string): string | undefined {
  return URL.canParse(origin) ? new URL(origin).host : undefined
}
