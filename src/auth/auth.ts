import type { SessionLookup } from '../domain/session-lookup.ts'
import type { SigningKeyRepository } from '../domain/signing-key.ts'
import { createAuthenticator } from './authenticator.ts'
import { HeldKeys } from './held-keys.ts'
import { createJwtVerifier } from './jwt.ts'
import { databaseKeySource, type KeySource, urlKeySource } from './key-source.ts'
import type { ServiceSubject } from './service-subjects.ts'
import { createSessionVerifier } from './session.ts'

export interface AuthOptions {
  readonly issuer: string
  readonly audience: string | readonly string[]
  readonly algorithms: readonly string[]
  /** Where Better Auth's public keys are read: its own table, or a JWKS URL. */
  readonly jwks: 'database' | URL
  /** `null`: sessions are no credentials. */
  readonly sessions: { readonly secret: string; readonly cookieName: string } | null
  /** `null`: no service tokens are accepted. */
  readonly service: {
    readonly issuer: string
    readonly audience: string
    readonly jwksUrl: URL
    /** What marks a token as a service's own; `null`: see `isOfService`. */
    readonly subjects: readonly ServiceSubject[] | null
  } | null
  /** Whose pages may send cookies, beside those of the gateway's own host. */
  readonly origins: readonly string[]
  readonly signingKeys: SigningKeyRepository
  readonly sessionLookup: SessionLookup
  /** Runs what several requests may wait for, so that it does not end with the one that began it. */
  readonly runShared: <Result>(work: () => Result) => Result
  /** Told in words what goes wrong and by itself right again. */
  readonly trouble: (what: string) => (error: unknown) => void
}

/** Credentials to callers, and how old the keys are that say so. Nothing is read before the first credential comes. */
export function createAuth(options: AuthOptions) {
  const { service, sessions } = options
  const keys = (source: KeySource, whose: string) =>
    new HeldKeys(
      () => options.runShared(source),
      options.trouble(`The signing keys of ${whose} cannot be read.`),
    )
  const userKeys = keys(
    options.jwks === 'database'
      ? databaseKeySource(options.signingKeys)
      : urlKeySource(options.jwks),
    'Better Auth',
  )
  const serviceKeys = service && keys(urlKeySource(service.jwksUrl), 'services')
  const verifyJwt = createJwtVerifier({
    users: { issuer: options.issuer, audience: options.audience, keys: userKeys },
    services: service && serviceKeys && { ...service, keys: serviceKeys },
    algorithms: options.algorithms,
  })
  const verifier = sessions && createSessionVerifier({ ...sessions, lookup: options.sessionLookup })
  const seconds = (held: HeldKeys | null) => held?.ageMs && held.ageMs / 1000
  return {
    authenticator: createAuthenticator(verifyJwt, verifier, options.origins),
    /** In seconds, by whose keys; absent before they were read. */
    keyAges: () => ({ users: seconds(userKeys), services: seconds(serviceKeys) }),
  }
}
