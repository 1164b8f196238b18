import { hash } from 'node:crypto'
import { decodeJwt, type JWTPayload, type JWTVerifyGetKey, jwtVerify } from 'jose'
import { LRUCache } from 'lru-cache'
import { type Caller, scopes } from '../domain/caller.ts'
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

const LONGEST_SUBJECT = 256

/**
 * Values of the `typ` header that are access tokens. Better Auth signs other things with the same keys, such as its
 * session cookie cache (`better-auth.session-cache+jwt`), which must not pass for one.
 */
const userTypes = [undefined, 'jwt']
const serviceTypes = [undefined, 'jwt', 'at+jwt']

/** Tokens that one process remembers; the one not seen for longest makes room. */
const MOST_REMEMBERED = 10_000

/**
 * A token whose every byte was verified already, so that the signature, which costs more than the query it comes with, is
 * not checked again with each request. It is good for as long as checking it again would find it good: until `exp`, and
 * while the very keys it was verified with are held.
 */
interface Verified {
  readonly caller: Caller
  /** Seconds since the epoch. */
  readonly expiresAt: number
  readonly keys: object
  readonly held: KeySet['held']
}

/**
 * Verifies JWTs locally: signature, pinned algorithms, issuer, audience, expiry. Of a user's token only `sub` is
 * believed; scopes come from the service issuer alone, in tokens of services themselves.
 * The function throws GatewayError UNAUTHENTICATED for a bad token, UNAVAILABLE when no key can be had.
 */
export function createJwtVerifier({
  users,
  services,
  algorithms,
}: {
  readonly users: TrustedIssuer
  readonly services: ServiceIssuer | null
  readonly algorithms: readonly string[]
}): (token: string) => Promise<Caller> {
  /** By the hashes of the tokens, which are not kept themselves. */
  const remembered = new LRUCache<string, Verified>({ max: MOST_REMEMBERED })

  const verifyAnew = async (token: string, key: string): Promise<Caller> => {
    const { iss } = decodeJwt(token)
    const byService = services !== null && [services.issuer].flat().some((name) => name === iss)
    const { issuer, audience, keys } = byService ? services : users
    const held = keys.held()
    const { payload, protectedHeader } = await jwtVerify(token, keys.getKey, {
      issuer: [issuer].flat(),
      audience: [audience].flat(),
      algorithms: [...algorithms],
      requiredClaims: ['exp', 'sub'],
    })
    const types = byService ? serviceTypes : userTypes
    if (!types.includes(protectedHeader.typ?.toLowerCase())) throw refused('type')
    const caller = byService ? toService(payload, services.subjects) : toUser(payload)
    // Only what these keys have verified: they may have been replaced meanwhile.
    if (held && held === keys.held())
      remembered.set(key, { caller, expiresAt: payload.exp ?? 0, keys: held, held: keys.held })
    return caller
  }

  return async (token) => {
    const key = hash('sha256', token, 'base64')
    const known = remembered.get(key)
    if (known && known.expiresAt > Math.floor(Date.now() / 1000) && known.held() === known.keys)
      return known.caller
    try {
      return await verifyAnew(token, key)
    } catch (error) {
      throw error instanceof GatewayError ? error : refused(reasonOf(error), error)
    }
  }
}

function toUser({ sub }: JWTPayload): Caller {
  if (typeof sub !== 'string' || sub === '' || sub.length > LONGEST_SUBJECT || sub.includes('\0'))
    throw refused('subject')
  return { kind: 'user', userId: sub }
}

function toService(payload: JWTPayload, subjects: readonly ServiceSubject[] | null): Caller {
  if (!isOfService(payload, subjects)) throw refused('service')
  const { scope, sub } = payload
  const granted = typeof scope === 'string' ? scope.split(' ') : []
  const held = new Set(scopes.filter((name) => granted.includes(name)))
  return { kind: 'service', subject: String(sub), scopes: held }
}
