import type { ApiKeyLookup } from '../domain/api-key-lookup.ts'
import type { Askers } from '../domain/askers.ts'
import type { OpaqueTokenLookup } from '../domain/opaque-token-lookup.ts'
import type { SessionLookup } from '../domain/session-lookup.ts'
import type { SigningKeyRepository } from '../domain/signing-key.ts'
import { type ApiKeyOptions, createApiKeyVerifier } from './api-key.ts'
import { createAuthenticator } from './authenticator.ts'
import { createProofVerifier, PROOF_ALGORITHMS, type ProofVerifier } from './dpop.ts'
import { HeldKeys } from './held-keys.ts'
import { createJwtVerifier } from './jwt.ts'
import { databaseKeySource, type KeySource, NoKeys } from './key-source.ts'
import { createOpaqueTokenVerifier } from './opaque-token.ts'
import type { ServiceSubject } from './service-subjects.ts'
import { createSessionVerifier } from './session.ts'
import { type OnFetch, urlKeySource } from './url-key-source.ts'
import { createUsedOnce, type FirstUse } from './used-once.ts'

export interface AuthOptions {
  /** Of several issuers and audiences, a token needs one. */
  readonly issuer: string | readonly string[]
  readonly audience: string | readonly string[]
  readonly algorithms: readonly string[]
  /** Where Better Auth's public keys are read: its own table, or a JWKS URL. */
  readonly jwks: 'database' | URL
  /** Whether `Authorization: Basic`, which is for somebody in front of the gateway, is as good as no header. */
  readonly ignoreBasic: boolean
  /** `null`: sessions are no credentials. */
  readonly sessions: { readonly secret: string; readonly cookieName: string } | null
  /** What the cookie of a session is called, also where it is no credential; absent: it is not looked for then. */
  readonly sessionCookie?: string
  /** `null`: API keys are no credentials. */
  readonly apiKeys: Omit<ApiKeyOptions, 'lookup'> | null
  /** Of tokens for apps that speak for users; `null`: none are accepted. */
  readonly oauth: {
    readonly issuer: string | readonly string[]
    readonly audience: readonly string[]
  } | null
  /** Of those that are opaque. */
  readonly opaqueTokens: { readonly prefix: string } | null
  /** `null`: no service tokens are accepted. */
  readonly service: {
    readonly issuer: readonly string[]
    readonly audience: readonly string[]
    /** Whose tokens are verified by which keys. */
    readonly keySets: readonly { readonly issuer: readonly string[]; readonly jwksUrl: URL }[]
    /** What marks a token as a service's own; `null`: see `isOfService`. */
    readonly subjects: readonly ServiceSubject[] | null
  } | null
  /** What clients ask, for which they sign proofs; `null`: tokens that are bound to a key are no credentials. */
  readonly publicUrl: string | null
  /** Whether a proof came to no gateway before; `null`: to each it may come once. */
  readonly isFirstUse: FirstUse | null
  /** In place of what verifies proofs. */
  readonly verifyProof?: ProofVerifier
  /** Whose pages may send cookies, beside those of the gateway's own host. */
  readonly origins: readonly string[]
  readonly signingKeys: SigningKeyRepository
  readonly lookups: {
    readonly sessions: SessionLookup
    readonly apiKeys: ApiKeyLookup
    readonly opaqueTokens: OpaqueTokenLookup
  }
  /** For whom keys are read. */
  readonly askers: Pick<Askers, 'runShared' | 'waitFor'>
  /** Told in words what goes wrong and by itself right again, and what describes why. */
  readonly trouble: (
    what: string,
    why: (error: unknown) => string | undefined,
  ) => (error: unknown) => void
  /** Told of each request for a key set. */
  readonly onFetch?: OnFetch
  /** Told in words what is right again. */
  readonly onBack: (what: string) => void
}

/** Credentials to callers, and how old the keys are that say so. Nothing is read before the first credential comes. */
export function createAuth(options: AuthOptions) {
  const { service, oauth, sessions, opaqueTokens, apiKeys, lookups } = options
  const { publicUrl, isFirstUse } = options
  const keys = (source: KeySource, whose: string) =>
    new HeldKeys(() => options.askers.runShared(source), {
      onTrouble: options.trouble(`The signing keys of ${whose} cannot be had.`, whyNone),
      onBack: () => options.onBack(`The signing keys of ${whose} can be had again.`),
    })
  const userKeys = keys(
    options.jwks === 'database'
      ? databaseKeySource(options.signingKeys)
      : urlKeySource(options.jwks, 'AUTH_JWKS', options.onFetch),
    'Better Auth',
  )
  const keysOfServices = (url: URL, whose: string) =>
    keys(urlKeySource(url, 'SERVICE_JWKS_URL', options.onFetch), whose)
  const services = service
    ? service.keySets.map(({ issuer, jwksUrl }, _, { length }) => ({
        ...service,
        issuer,
        keys: keysOfServices(jwksUrl, length === 1 ? 'services' : issuer.join(' or ')),
      }))
    : []
  const verifyJwt = createJwtVerifier({
    users: { issuer: options.issuer, audience: options.audience, keys: userKeys },
    oauth: oauth && { ...oauth, keys: userKeys },
    services,
    algorithms: options.algorithms,
  })
  const verifyProof =
    publicUrl === null
      ? null
      : (options.verifyProof ?? createProofVerifier(publicUrl, createUsedOnce(isFirstUse)))
  const oldest = (held: readonly HeldKeys[]) => {
    const ages = held.flatMap(({ ageMs }) => ageMs ?? [])
    return ages.length > 0 ? Math.max(...ages) / 1000 : undefined
  }
  return {
    authenticator: createAuthenticator(
      {
        // Keys may be on their way for another.
        verifyJwt: (token) => {
          const verified = verifyJwt(token)
          return verified instanceof Promise ? options.askers.waitFor(verified) : verified
        },
        opaqueTokens:
          opaqueTokens &&
          createOpaqueTokenVerifier({
            ...opaqueTokens,
            audience: oauth?.audience ?? [],
            lookup: lookups.opaqueTokens,
          }),
        verifyProof,
        sessions: sessions && createSessionVerifier({ ...sessions, lookup: lookups.sessions }),
        apiKeys: apiKeys && createApiKeyVerifier({ ...apiKeys, lookup: lookups.apiKeys }),
      },
      { ...options, sessionCookie: sessions?.cookieName ?? options.sessionCookie },
    ),
    /** Of proofs that go with tokens bound to a key; none: they are not taken. */
    proofAlgorithms: verifyProof ? PROOF_ALGORITHMS : [],
    /** In seconds, by whose keys, of the oldest; absent before they were read. */
    keyAges: () => ({
      users: oldest([userKeys]),
      services: oldest(services.map(({ keys }) => keys)),
    }),
    /** Reads the keys of URLs before they are needed, so that one that is wrong is told of early. */
    readAhead: () => {
      if (options.jwks !== 'database') void userKeys.read()
      for (const { keys } of services) void keys.read()
    },
    /** Looks up what nobody has, so that a function that is missing is said at start, and not with the first credential. */
    tryLookups: () => {
      if (sessions) void lookups.sessions.findByToken('').catch(() => {})
      if (apiKeys) void lookups.apiKeys.findByHash('').catch(() => {})
    },
  }
}

function whyNone(error: unknown): string | undefined {
  return error instanceof NoKeys ? error.message : undefined
}
