import type { Caller } from '../domain/caller.ts'
import type { SessionLookup } from '../domain/session-lookup.ts'
import { findSessionCookies } from './session-cookie.ts'
import { isSignedWith, parseSignedToken } from './signed-token.ts'

/**
 * Recognises sessions of Better Auth. Each is looked up anew, so one that was revoked or has expired ends with the next
 * request. Both ways answer `null` for what is no live session, and throw GatewayError UNAVAILABLE or TIMEOUT when
 * sessions cannot be looked up.
 */
export class SessionVerifier {
  readonly #secret: string
  readonly #cookieName: string
  readonly #lookup: SessionLookup

  constructor(options: {
    /** What Better Auth signs its cookies with. */
    readonly secret: string
    /** What its session cookie is called, without `__Secure-` or `__Host-`. */
    readonly cookieName: string
    readonly lookup: SessionLookup
  }) {
    this.#secret = options.secret
    this.#cookieName = options.cookieName
    this.#lookup = options.lookup
  }

  async findByCookie(header: string): Promise<Caller | null> {
    for (const value of findSessionCookies(header, this.#cookieName)) {
      const caller = await this.findByToken(value)
      if (caller) return caller
    }
    return null
  }

  /** @param text A signed token, raw or percent-encoded. */
  async findByToken(text: string): Promise<Caller | null> {
    const signed = parseSignedToken(text)
    // Whoever has only read a token, in a table or a backup, does not get as far as the look-up.
    if (!signed || !(await isSignedWith(this.#secret, signed))) return null
    const userId = await this.#lookup.findUserId(signed.token)
    return userId === null ? null : { kind: 'user', userId }
  }
}
