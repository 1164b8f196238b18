import { type Caller, type IgnoredCookie, userOf } from '../domain/caller.ts'
import type { SessionLookup } from '../domain/session-lookup.ts'

export type SessionVerifier = ReturnType<typeof createSessionVerifier>

/**
 * Recognises sessions of Better Auth. Each is looked up anew, so one that was revoked or has expired ends with the next
 * request. What is no live session is `null`, or of a cookie a word that says why; both ways throw GatewayError UNAVAILABLE or
 * TIMEOUT when sessions cannot be looked up.
 */
export function createSessionVerifier(options: {
  /** What Better Auth signs its cookies with. */
  readonly secret: string
  /** What its session cookie is called, without `__Secure-` or `__Host-`. */
  readonly cookieName: string
  readonly lookup: SessionLookup
}) {
  const find = async (text: string): Promise<Caller | IgnoredCookie> => {
    if (text.length > LONGEST) return 'signature'
    const [, token, signature] = SIGNED.exec(percentDecoded(text)) ?? []
    if (token === undefined || signature === undefined) return 'signature'
    // Whoever has only read a token, in a table or a backup, does not get as far as the look-up.
    if (!(await isSigned(token, signature, options.secret))) return 'signature'
    const found = await options.lookup.findByToken(token)
    if (!found) return 'session'
    return userOf(found.userId, found.impersonated, () => options.lookup.findIdByToken(token))
  }
  /** @param text A token as Better Auth gives it away, signed; raw or percent-encoded. */
  const findByToken = async (text: string): Promise<Caller | null> => {
    const found = await find(text)
    return typeof found === 'string' ? null : found
  }
  const findByCookie = async (header: string): Promise<Caller | IgnoredCookie> => {
    let why: IgnoredCookie = 'signature'
    for (const value of sessionCookies(header, options.cookieName)) {
      const found = await find(value)
      if (typeof found !== 'string') return found
      if (found === 'session') why = found
    }
    return why
  }
  return { findByCookie, findByToken }
}

/** Of a signed token, in characters; Better Auth's own have 77, or a few more when percent-encoded. */
const LONGEST = 1024
/** The token, and its HMAC-SHA256 in base64. */
const SIGNED = /^([\w-]{1,256})\.([A-Za-z0-9+/]{43}=)$/

function percentDecoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

const HMAC = { name: 'HMAC', hash: 'SHA-256' }

/** Whether a session's cookie is among these, whatever it holds. */
export function hasSessionCookie(header: string, name: string): boolean {
  return sessionCookies(header, name).length > 0
}

/** Takes the same time wherever the signatures differ. */
async function isSigned(token: string, signature: string, secret: string): Promise<boolean> {
  const key = await crypto.subtle.importKey('raw', Buffer.from(secret), HMAC, false, ['verify'])
  return crypto.subtle.verify(HMAC, key, Buffer.from(signature, 'base64'), Buffer.from(token))
}

/** In the order in which they are believed: only a secure origin can set the first two. */
const PREFIXES = ['__Host-', '__Secure-', '']

/** More than one are left behind by settings that have changed; no browser sends many. */
const MOST_COOKIES = 4

/**
 * The values of Better Auth's session cookie, under each name that a browser may keep it by: one that was left behind can
 * stand beside the one that lives. Of several with one name, the first is that of the most specific path.
 */
function sessionCookies(header: string, name: string): readonly string[] {
  const pairs = header.split(';').map((pair) => pair.trim())
  const values = PREFIXES.flatMap((prefix) =>
    pairs.filter((pair) => pair.startsWith(`${prefix}${name}=`)),
  ).map((pair) => pair.slice(pair.indexOf('=') + 1))
  return [...new Set(values)].slice(0, MOST_COOKIES)
}
