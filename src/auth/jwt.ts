import { decodeJwt, type JWTPayload, type JWTVerifyGetKey, jwtVerify } from 'jose'
import { type Caller, scopes } from '../domain/caller.ts'
import { GatewayError } from '../domain/errors.ts'
import { refused } from './refused.ts'

export interface TrustedIssuer {
  readonly issuer: string
  readonly audience: string
  readonly getKey: JWTVerifyGetKey
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
 * believed; scopes come from the service issuer alone.
 */
export class JwtVerifier {
  readonly #users: TrustedIssuer
  readonly #services: TrustedIssuer | null
  readonly #algorithms: string[]

  constructor(options: {
    readonly users: TrustedIssuer
    readonly services: TrustedIssuer | null
    readonly algorithms: readonly string[]
  }) {
    this.#users = options.users
    this.#services = options.services
    this.#algorithms = [...options.algorithms]
  }

  /** @throws GatewayError UNAUTHENTICATED for a bad token, UNAVAILABLE when no key can be had. */
  async verify(token: string): Promise<Caller> {
    try {
      const services = this.#services
      return services && decodeJwt(token).iss === services.issuer
        ? toService(await this.#payload(token, services, serviceTypes))
        : toUser(await this.#payload(token, this.#users, userTypes))
    } catch (error) {
      throw error instanceof GatewayError ? error : refused(error)
    }
  }

  async #payload(token: string, from: TrustedIssuer, types: readonly (string | undefined)[]) {
    const { payload, protectedHeader } = await jwtVerify(token, from.getKey, {
      issuer: from.issuer,
      audience: from.audience,
      algorithms: this.#algorithms,
      requiredClaims: ['exp', 'sub'],
    })
    if (!types.includes(protectedHeader.typ?.toLowerCase())) throw refused()
    return payload
  }
}

function toUser({ sub }: JWTPayload): Caller {
  if (typeof sub !== 'string' || sub === '' || sub.length > LONGEST_SUBJECT || sub.includes('\0'))
    throw refused()
  return { kind: 'user', userId: sub }
}

function toService({ scope }: JWTPayload): Caller {
  const granted = typeof scope === 'string' ? scope.split(' ') : []
  return { kind: 'service', scopes: new Set(scopes.filter((name) => granted.includes(name))) }
}
