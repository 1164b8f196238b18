import { decodeJwt, decodeProtectedHeader, errors } from 'jose'
import type { AuthOptions } from '../auth/auth.ts'
import type { OpaqueReason, TokenReason } from '../auth/refused.ts'
import { describeSubjects } from '../auth/service-subjects.ts'

/** Whose tokens are accepted. */
export type Accepted = Pick<
  AuthOptions,
  'issuer' | 'audience' | 'algorithms' | 'jwks' | 'oauth' | 'service'
>

/** What a token says of itself, of which nothing is verified; `null` for what is no JWT. */
export function readUnverified(token: string) {
  try {
    return { header: decodeProtectedHeader(token), claims: decodeJwt(token) }
  } catch {
    return null
  }
}

type Said = NonNullable<ReturnType<typeof readUnverified>>

/** What a token says of itself beside what is accepted. */
export function compare({ header, claims }: Said, accepted: Accepted): string {
  return `It says: issuer ${show(claims.iss)}, audience ${show(claims.aud)}, algorithm ${show(header.alg)}, key ${show(header.kid)}, type ${show(header.typ)}, expires ${timeOf(claims.exp)}. Accepted: ${issuersOf(
    accepted,
  )
    .map(({ is, audience }) => `issuer ${is} with audience ${audience}`)
    .join(', or ')}; algorithms ${accepted.algorithms.join(', ')}.`
}

/** What the check that refused a token expected. The token itself is no part of it. */
export function explainRefusal(
  reason: TokenReason | OpaqueReason,
  cause: unknown,
  said: Said | null,
  accepted: Accepted,
): string {
  const { header, claims }: Said = said ?? { header: {}, claims: {} }
  const all = issuersOf(accepted)
  const its = all.find(({ issuers }) => issuers.some((issuer) => issuer === claims.iss)) ?? all[0]
  const claim = cause instanceof errors.JWTClaimValidationFailed ? cause.claim : 'unknown'
  const { rule, claims: read } = describeSubjects(accepted.service?.subjects ?? null)
  const sentences: Readonly<Record<TokenReason, string>> = {
    malformed: 'it is no JWT that can be read',
    'needs AUTH_SESSIONS':
      'it is no JWT; sessions are accepted with AUTH_SESSIONS=on alone, and opaque access tokens with OAUTH_OPAQUE_TOKENS=on',
    'needs OAUTH_AUDIENCE': `it is an access token of ${show(claims.iss)}: those of users' apps are accepted where OAUTH_AUDIENCE is set, and services' where SERVICE_ISSUER is this issuer`,
    client: `an app must speak for a user, and here client_id is ${show(claims.client_id)}, azp is ${show(claims.azp)} and sub is ${show(claims.sub)}; what an app gets for itself is accepted where SERVICE_ISSUER is its issuer`,
    proof: `it is bound to ${show(claims.cnf)} (cnf), and proofs are taken of a key (jkt) alone`,
    scheme: 'it is no JWT that is bound to a key, and only such tokens come with DPoP',
    'needs PUBLIC_URL':
      'it is bound to a key (cnf), and nothing says for which URL a proof is signed: set PUBLIC_URL',
    'too long': 'it is longer than any token that is read',
    algorithm: `it is signed with ${show(header.alg)}, which AUTH_ALGORITHMS does not have`,
    key: `${its?.keys} has not, or more than once, a key of this id (kid, ${show(header.kid)}) and algorithm: whoever signed it keeps keys elsewhere, or has taken this one away`,
    'weak key': `the key ${show(header.kid)} of ${its?.keys} is too weak to prove anything, as doctor says without --token`,
    signature: `the key ${show(header.kid)} of ${its?.keys} has not signed what it holds`,
    type: `its type (typ) is ${show(header.typ)}, which is none of access tokens`,
    issuer: `its issuer (iss) is ${show(claims.iss)}, and has to be, letter by letter, ${all.map(({ is }) => is).join(' or ')}`,
    audience: `its audience (aud) is ${show(claims.aud)}, and has to be ${its?.audience}`,
    expired: `it expired at ${timeOf(claims.exp)}, and here it is ${timeOf(Date.now() / 1000)}`,
    claim: `its claim ${claim} is ${show(claims[claim])}`,
    subject: 'its subject (sub) is empty, too long or no text',
    service: `it is of SERVICE_ISSUER, but not of a service itself: a service's is one where ${rule} (SERVICE_SUBJECTS), and here ${read.map((name) => `${name} is ${show(claims[name])}`).join(', ')}`,
    session: 'it is no JWT, and no live session that the secret of Better Auth has signed',
  }
  const those: Readonly<Record<string, string>> = said ? sentences : { ...sentences, ...ofOpaque }
  return `It would be refused (${reason}): ${those[reason]}.`
}

/** Of opaque tokens, which say nothing of themselves. */
const ofOpaque: Readonly<Record<OpaqueReason, string>> = {
  'unknown token':
    'the table of access tokens has none with its hash: it was revoked, OAUTH_OPAQUE_TOKEN_PREFIX is another than prefix.opaqueAccessToken of the plug-in, or storeTokens hashes in a way of its own',
  revoked: 'it was revoked, or the user has signed out',
  expired: 'it has expired',
  scheme:
    'it is bound to a key: it counts as Authorization: DPoP alone, and with a proof that this key has signed for the request',
  proof: 'it is bound to something else than a key, and proofs are taken of a key (jkt) alone',
  client:
    'an app has it for itself, and who may ask for everybody is told from JWTs alone: let it ask for a resource',
  audience: 'it was given for other resources than OAUTH_AUDIENCE names',
  'no session':
    'the session in which the user consented was deleted, and its scopes have no offline_access',
}

function issuersOf({ issuer, audience, jwks, oauth, service }: Accepted) {
  const keys = jwks === 'database' ? 'the jwks table' : 'AUTH_JWKS'
  return [
    issuerOf('AUTH', { issuer, audience }, keys),
    ...(oauth ? [issuerOf('OAUTH', oauth, keys)] : []),
    ...(service ? [issuerOf('SERVICE', service, 'SERVICE_JWKS_URL')] : []),
  ]
}

/** @param prefix Of the variables that say so. */
function issuerOf(
  prefix: string,
  { issuer, audience }: Pick<Accepted, 'issuer' | 'audience'>,
  keys: string,
) {
  const issuers = [issuer].flat()
  return {
    issuers,
    is: `${issuers.map(show).join(' or ')} (${prefix}_ISSUER)`,
    audience: `${[audience].flat().map(show).join(' or ')} (${prefix}_AUDIENCE)`,
    keys,
  }
}

const LONGEST_SHOWN = 200

function show(value: unknown): string {
  return value === undefined ? 'none' : JSON.stringify(value).slice(0, LONGEST_SHOWN)
}

function timeOf(seconds: unknown): string {
  const time = new Date(Number(seconds) * 1000)
  return Number.isNaN(+time) ? show(seconds) : time.toISOString()
}
