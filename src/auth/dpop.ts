import { hash } from 'node:crypto'
import { calculateJwkThumbprint, decodeProtectedHeader, EmbeddedJWK, errors, jwtVerify } from 'jose'
import { GatewayError } from '../domain/errors.ts'
import { type ProofReason, refused } from './refused.ts'
import { findWeakness } from './weak-keys.ts'

/** Those that Better Auth binds tokens with. */
export const PROOF_ALGORITHMS = ['EdDSA', 'ES256', 'ES512', 'PS256', 'RS256']

/** A token that is bound to a key, as it was sent. */
export interface Presented {
  readonly token: string
  /** The thumbprint of the key (RFC 7638). */
  readonly boundTo: string
  /** Of the request. */
  readonly method: string
  /** What was asked; absent: what clients of the graph ask. */
  readonly url?: string | null | undefined
  /** The header `DPoP`; several are one here, with commas between. */
  readonly proof: string | null
}

/** @throws GatewayError UNAUTHENTICATED when it proves nothing, UNAVAILABLE when nobody could remember that it came. */
export type ProofVerifier = (presented: Presented) => Promise<void>

/**
 * Verifies that whoever sends a token holds the key that it is bound to (RFC 9449): by a proof, signed for this token and
 * this request just now, that did not come before.
 * @param graphUrl What clients of the graph ask, without query and fragment.
 * @param useOnce Whether a name was not used before.
 */
export function createProofVerifier(
  graphUrl: string,
  useOnce: (name: string) => Promise<boolean>,
): ProofVerifier {
  return async ({ token, boundTo, method, url, proof }) => {
    if (proof === null || proof.length > LONGEST || !COMPACT.test(proof))
      throw refused('proof form')
    const { htm, htu, ath, jti } = await verifySigned(proof, boundTo)
    const asked = url ?? graphUrl
    if (htm !== method || withoutQuery(htu) !== asked || ath !== hash('sha256', token, 'base64url'))
      throw refused('proof request')
    if (typeof jti !== 'string' || jti === '') throw refused('proof form')
    // Last, so that nobody but the holder of a token fills what is remembered.
    const isNew = await useOnce(hash('sha256', `${boundTo} ${jti}`, 'base64url'))
    if (!isNew) throw refused('proof replay')
  }
}

/** In characters; with RSA keys of 4096 bits they have some 2,000. */
const LONGEST = 4096
const COMPACT = /^[\w-]+\.[\w-]+\.[\w-]+$/

/** How old a proof may be, and how far clocks may differ from those of clients. In seconds. */
const MAX_AGE = 60
const CLOCK_TOLERANCE = 5

/** Members of JWKs that only the holder of a key has. */
const privateMembers = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k', 'priv']

/** The claims of a proof that the key has signed. */
async function verifySigned(proof: string, boundTo: string) {
  try {
    const { jwk } = decodeProtectedHeader(proof)
    if (!jwk || privateMembers.some((name) => name in jwk)) throw refused('proof key')
    if (findWeakness(jwk) !== null) throw refused('proof key')
    if ((await calculateJwkThumbprint(jwk)) !== boundTo) throw refused('proof key')
    const { payload } = await jwtVerify(proof, EmbeddedJWK, {
      typ: 'dpop+jwt',
      algorithms: PROOF_ALGORITHMS,
      maxTokenAge: MAX_AGE,
      clockTolerance: CLOCK_TOLERANCE,
    })
    return payload
  } catch (error) {
    throw error instanceof GatewayError ? error : refused(reasonOf(error), error)
  }
}

function reasonOf(error: unknown): ProofReason {
  if (error instanceof errors.JWSSignatureVerificationFailed) return 'proof key'
  const { JWTExpired, JWTClaimValidationFailed } = errors
  if (error instanceof JWTExpired || error instanceof JWTClaimValidationFailed)
    return error.claim === 'typ' ? 'proof form' : 'proof time'
  return 'proof form'
}

function withoutQuery(url: unknown): string | null {
  if (typeof url !== 'string' || !URL.canParse(url)) return null
  const { origin, pathname } = new URL(url)
  return `${origin}${pathname}`
}
