import { hash } from 'node:crypto'
import {
  decodeJwt,
  decodeProtectedHeader,
  type JWTPayload,
  type JWTVerifyGetKey,
  jwtVerify,
} from 'jose'
import { LRUCache } from 'lru-cache'
import { type Caller, type Scope, scopes, userOf } from '../domain/caller.ts'
import { GatewayError } from '../domain/errors.ts'
import { reasonOf, refused } from './refused.ts'
import { isOfService, type ServiceSubject } from './service-subjects.ts'

export interface KeySet {
  readonly getKey: JWTVerifyGetKey
  /** The same object for as long as the keys are the same and are held; `null` when they have to be read. */
  readonly held: () => object | null
}

export interface TrustedIssuer {
  /** Of several, a token needs one, as of audiences. */
  readonly issuer: string | readonly string[]
  readonly audience: string | readonly string[]
  readonly keys: KeySet
}

/** An issuer whose tokens may be those of services, by these marks; `null`: by the usual ones. */
export interface ServiceIssuer extends TrustedIssuer {
  readonly subjects: readonly ServiceSubject[] | null
}

/** Whose tokens are accepted, and whom they speak for. */
export interface TrustedIssuers {
  readonly users: TrustedIssuer
  /** Of tokens for apps that speak for users; `null`: none are accepted. */
  readonly oauth: TrustedIssuer | null
  /** Those whose tokens may be those of services, each with keys of its own. */
  readonly services: readonly ServiceIssuer[]
}

/** What a token says, once it is verified. */
export interface Verified {
  readonly caller: Caller
  /** The thumbprint of the key that its sender has to hold; `null`: whoever has it may send it. */
  readonly boundTo: string | null
}

const LONGEST_NAME = 256

/**
 * Values of the `typ` header. Better Auth signs other things with the same keys, such as its session cookie cache
 * (`better-auth.session-cache+jwt`), which must not pass for a token.
 */
const plain = [undefined, 'jwt']
const ACCESS_TOKEN = 'at+jwt'

/** Tokens that one process remembers; the one not seen for longest makes room. */
const MOST_REMEMBERED = 10_000

/**
 * A token whose every byte was verified already, so that the signature, which costs more than the query it comes with, is
 * not checked again with each request. It is good for as long as checking it again would find it good: until `exp`, and
 * while the very keys it was verified with are held.
 */
interface Remembered extends Verified {
  /** Seconds since the epoch. */
  readonly expiresAt: number
  readonly keys: object
  readonly held: KeySet['held']
}

/** Which tokens an issuer is trusted with, and how they are read. */
interface Trust extends TrustedIssuer {
  readonly types: readonly (string | undefined)[]
  readonly callerOf: (payload: JWTPayload) => Caller
}

/**
 * Verifies JWTs locally: signature, pinned algorithms, issuer, audience, type, expiry. Of a user's own token only `sub` is
 * believed. Scopes come from tokens of services themselves, and from those of apps, which speak for a user and see less.
 * The function rejects with GatewayError UNAUTHENTICATED for a bad token, UNAVAILABLE when no key can be had. Of a token
 * that it has seen lately it has the answer at once.
 */
export function createJwtVerifier(
  issuers: TrustedIssuers & { readonly algorithms: readonly string[] },
): (token: string) => Verified | Promise<Verified> {
  /** By the hashes of the tokens, which are not kept themselves. */
  const remembered = new LRUCache<string, Remembered>({ max: MOST_REMEMBERED })

  const verifyAnew = async (token: string, key: string): Promise<Verified> => {
    const type = decodeProtectedHeader(token).typ?.toLowerCase()
    const { issuer, audience, keys, types, callerOf } = trustIn(decodeJwt(token), type, issuers)
    const held = keys.held()
    const { payload } = await jwtVerify(token, keys.getKey, {
      issuer: [issuer].flat(),
      audience: [audience].flat(),
      algorithms: [...issuers.algorithms],
      requiredClaims: ['exp', 'sub'],
    })
    if (!types.includes(type)) throw refused('type')
    const verified = { caller: callerOf(payload), boundTo: boundKeyOf(payload.cnf) }
    // Only what these keys have verified: they may have been replaced meanwhile.
    if (held && held === keys.held())
      remembered.set(key, {
        ...verified,
        expiresAt: payload.exp ?? 0,
        keys: held,
        held: keys.held,
      })
    return verified
  }

  return (token) => {
    const key = hash('sha256', token, 'base64')
    const known = remembered.get(key)
    if (known && known.expiresAt > Math.floor(Date.now() / 1000) && known.held() === known.keys)
      return known
    return verifyAnew(token, key).catch((error: unknown) => {
      throw error instanceof GatewayError ? error : refused(reasonOf(error), error)
    })
  }
}

/** The thumbprint of the key that a token is bound to (`cnf`); `null`: it is bound to nothing. */
export function boundKeyOf(cnf: unknown): string | null {
  if (cnf === undefined) return null
  const { jkt, ...others }: Readonly<Record<string, unknown>> = Object(cnf)
  // Of what is bound otherwise, such as to a certificate, no proof is taken.
  if (typeof jkt !== 'string' || Object.keys(others).length > 0) throw refused('proof')
  return jkt
}

/** By what an unverified token says it is; whether it is that, is verified then. One issuer may sign all three kinds. */
function trustIn(
  claims: JWTPayload,
  type: string | undefined,
  { users, oauth, services }: TrustedIssuers,
): Trust {
  const signs = (trusted: TrustedIssuer | null) =>
    trusted !== null && [trusted.issuer].flat().some((issuer) => issuer === claims.iss)
  const isDelegated = oauth && type === ACCESS_TOKEN
  const service = services.find(signs)
  if (service && !(isDelegated && signs(oauth) && !isOfService(claims, service.subjects)))
    return {
      ...service,
      types: [...plain, ACCESS_TOKEN],
      callerOf: (payload) => toService(payload, service.subjects),
    }
  if (isDelegated) return { ...oauth, types: [ACCESS_TOKEN], callerOf: toDelegated }
  if (type === ACCESS_TOKEN) throw refused('needs OAUTH_AUDIENCE')
  return { ...users, types: plain, callerOf: toUser }
}

/**
 * An ID token tells an app who has signed in, with the same keys; it lets nobody in. That somebody is impersonated is in a
 * token where the application puts it there, under the name that it has in the session, and so is which session it is (`sid`).
 */
function toUser(payload: JWTPayload): Caller {
  if (payload.at_hash !== undefined) throw refused('type')
  const { sid, impersonatedBy } = payload
  const findSession = isName(sid) ? async () => sid : undefined
  return userOf(subjectOf(payload), isName(impersonatedBy), findSession)
}

function toDelegated(payload: JWTPayload): Caller {
  const userId = subjectOf(payload)
  const { client_id: client = payload.azp, azp = client, sid: session = null } = payload
  if (!isName(client) || azp !== client || client === userId) throw refused('client')
  if (session !== null && !isName(session)) throw refused('claim')
  const delegation = { clientId: client, sessionId: session }
  return { kind: 'delegated', userId, scopes: scopesOf(payload), delegation }
}

function toService(payload: JWTPayload, subjects: readonly ServiceSubject[] | null): Caller {
  if (!isOfService(payload, subjects)) throw refused('service')
  return { kind: 'service', subject: String(payload.sub), scopes: scopesOf(payload) }
}

function subjectOf({ sub }: JWTPayload): string {
  if (!isName(sub)) throw refused('subject')
  return sub
}

function isName(value: unknown): value is string {
  return (
    typeof value === 'string' &&
    value !== '' &&
    value.length <= LONGEST_NAME &&
    !value.includes('\0')
  )
}

function scopesOf({ scope }: JWTPayload): ReadonlySet<Scope> {
  const granted = typeof scope === 'string' ? scope.split(' ') : []
  return new Set(scopes.filter((name) => granted.includes(name)))
}
