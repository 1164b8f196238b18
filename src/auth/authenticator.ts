import { type Authenticator, anonymous, type Caller } from '../domain/caller.ts'
import { isAskedFirst } from './asked-first.ts'
import type { JwtVerifier } from './jwt.ts'
import { refused } from './refused.ts'
import type { SessionVerifier } from './session.ts'

/** Longer credentials are refused before they are parsed. In characters. */
const LONGEST_TOKEN = 8192

/**
 * Finds the one credential of a request that counts. An Authorization header decides alone, whatever cookie came with
 * it, and is refused when it is bad. Browsers send cookies unasked, so one that is stale or forged is as good as none,
 * and so is one that another site may have had them send.
 */
export class RequestAuthenticator implements Authenticator {
  readonly #jwts: JwtVerifier
  readonly #sessions: SessionVerifier | null
  readonly #origins: readonly string[]

  /**
   * @param sessions `null`: sessions are no credentials here.
   * @param origins Whose pages may send cookies, beside those of the gateway's own host.
   */
  constructor(
    jwts: JwtVerifier,
    sessions: SessionVerifier | null,
    origins: readonly string[] = [],
  ) {
    this.#jwts = jwts
    this.#sessions = sessions
    this.#origins = origins
  }

  async authenticate(headers: { get(name: string): string | null }): Promise<Caller> {
    const authorization = headers.get('authorization')
    if (authorization !== null) return this.#byBearer(authorization)
    const cookies = headers.get('cookie')
    if (cookies === null || !this.#sessions || !isAskedFirst(headers, this.#origins))
      return anonymous
    return (await this.#sessions.findByCookie(cookies)) ?? anonymous
  }

  async #byBearer(header: string): Promise<Caller> {
    const token = /^Bearer +([\w.~+/=%-]+)$/i.exec(header)?.[1]
    if (token === undefined) throw refused('malformed')
    if (token.length > LONGEST_TOKEN) throw refused('too long')
    if (!this.#sessions || isJwt(token)) return this.#jwts.verify(token)
    const caller = await this.#sessions.findByToken(token)
    if (!caller) throw refused('session')
    return caller
  }
}

/** A JWT has three parts; a signed session token, of which no character is encoded as a dot, has two. */
function isJwt(token: string): boolean {
  return token.split('.').length === 3
}
