import { decodeJwt, type JWTPayload, type JWTVerifyGetKey, jwtVerify } from 'jose'
import { type Caller, scopes } from '../domain/caller.ts'
import { GatewayError } from '../domain/errors.ts'
import { reasonOf, refused } from './refused.ts'
import { isOfService, type ServiceSubject } from './service-subjects.ts'
import { VerifiedTokens } from './verified-tokens.ts'

export interface KeySet {
  readonly getKey: JWTVerifyGetKey
  /** The same object for as long as the keys are the same and are held; `null` when they have to be read. */
  readonly held: () => object | null
}

export interface TrustedIssuer {
  readonly issuer: string
  readonly audience: string
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

/**
 * Verifies JWTs locally: signature, pinned algorithms, issuer, audience, expiry. Of a user's token only `sub` is
 * believed; scopes come from the service issuer alone, in tokens of services themselves.
 */
export class JwtVerifier {
  readonly #users: TrustedIssuer
  readonly #services: ServiceIssuer | null
  readonly #algorithms: string[]
  readonly #verified = new VerifiedTokens()

  constructor(options: {
    readonly users: TrustedIssuer
    readonly services: ServiceIssuer | null
    readonly algorithms: readonly string[]
  }) {
    this.#users = options.users
    this.#services = options.services
    this.#algorithms = [...options.algorithms]
  }

  /** @throws GatewayError UNAUTHENTICATED for a bad token, UNAVAILABLE when no key can be had. */
  async verify(token: string): Promise<Caller> {
    try {
      return this.#verified.find(token) ?? (await this.#verifyAnew(token))
    } catch (error) {
      throw error instanceof GatewayError ? error : refused(reasonOf(error), error)
    }
  }

  async #verifyAnew(token: string): Promise<Caller> {
    const services = this.#services
    const byService = services !== null && decodeJwt(token).iss === services.issuer
    const { held } = (byService ? services : this.#users).keys
    const keys = held()
    const payload = await (byService
      ? this.#payload(token, services, serviceTypes)
      : this.#payload(token, this.#users, userTypes))
    const caller = byService ? toService(payload, services.subjects) : toUser(payload)
    // Only what these keys have verified: they may have been replaced meanwhile.
    if (keys && keys === held())
      this.#verified.remember(token, { caller, expiresAt: payload.exp ?? 0, keys, held })
    return caller
  }

  async #payload(token: string, from: TrustedIssuer, types: readonly (string | undefined)[]) {
    const { payload, protectedHeader } = await jwtVerify(token, from.keys.getKey, {
      issuer: from.issuer,
      audience: from.audience,
      algorithms: this.#algorithms,
      requiredClaims: ['exp', 'sub'],
    })
    if (!types.includes(protectedHeader.typ?.toLowerCase())) throw refused('type')
    return payload
  }
}

function toUser({ sub }: JWTPayload): Caller {
  if (typeof sub !== 'string' || sub === '' || sub.length > LONGEST_SUBJECT || sub.includes('\0'))
    throw refused('subject')
  return { kind: 'user', userId: sub }
}

function toService(payload: JWTPayload, subjects: readonly ServiceSubject[] | null): Caller {
  if (!isOfService(payload, subjects)) throw refused('service')
  const { scope } = payload
  const granted = typeof scope === 'string' ? scope.split(' ') : []
  return { kind: 'service', scopes: new Set(scopes.filter((name) => granted.includes(name))) }
}
