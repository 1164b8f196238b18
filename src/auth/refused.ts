import { errors } from 'jose'
import { GatewayError } from '../domain/errors.ts'

/** What is wrong with a credential. */
export type Reason = TokenReason | OpaqueReason | ProofReason | KeyReason

export type KeyReason = 'too long' | 'expired' | 'unknown key' | 'disabled key' | 'metered key'

export type OpaqueReason =
  | 'unknown token'
  | 'revoked'
  | 'expired'
  | 'scheme'
  | 'proof'
  | 'client'
  | 'audience'
  | 'no session'

export type TokenReason =
  | 'malformed'
  | 'too long'
  | 'algorithm'
  | 'key'
  | 'weak key'
  | 'signature'
  | 'type'
  | 'issuer'
  | 'audience'
  | 'expired'
  | 'claim'
  | 'subject'
  | 'service'
  | 'client'
  | 'proof'
  | 'scheme'
  | 'session'
  | 'needs OAUTH_AUDIENCE'
  | 'needs AUTH_SESSIONS'
  | 'needs PUBLIC_URL'

/** Of what is to prove that a token is its sender's; clients hear of these that the proof is what is wrong. */
export type ProofReason =
  | 'proof form'
  | 'proof key'
  | 'proof request'
  | 'proof time'
  | 'proof replay'

/** What every bad credential is answered with: nobody is told what is wrong with it. The reason is for the log alone. */
export function refused(reason: Reason, cause?: unknown): GatewayError {
  return new GatewayError('UNAUTHENTICATED', 'The credential is not valid.', { cause, reason })
}

/** Why a JWT was not verified. */
export function reasonOf(error: unknown): Reason {
  if (error instanceof errors.JWTExpired) return 'expired'
  if (error instanceof errors.JWTClaimValidationFailed)
    return error.claim === 'iss' ? 'issuer' : error.claim === 'aud' ? 'audience' : 'claim'
  if (error instanceof errors.JWSSignatureVerificationFailed) return 'signature'
  if (error instanceof errors.JOSEAlgNotAllowed) return 'algorithm'
  if (error instanceof errors.JWKSNoMatchingKey || error instanceof errors.JWKSMultipleMatchingKeys)
    return 'key'
  return 'malformed'
}
