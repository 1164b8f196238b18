import { hash, randomUUID } from 'node:crypto'
import { calculateJwkThumbprint, type JWTHeaderParameters, type JWTPayload } from 'jose'
import { createSigner, type Signer } from './tokens.ts'

/** A client with a key to which tokens are bound (DPoP). */
export interface Prover {
  /** The claim of its tokens. */
  readonly cnf: { readonly jkt: string }
  readonly signer: Signer
  /** For one request; `claims` and `header` are laid over what it would carry. */
  prove(
    token: string | null,
    claims?: Readonly<Record<string, unknown>>,
    header?: Partial<JWTHeaderParameters>,
  ): Promise<string>
}

/** @param htu What it asks, by POST where it says nothing else. */
export async function createProver(htu: string, alg = 'ES256'): Promise<Prover> {
  const signer = await createSigner(alg)
  const { kid: _, alg: __, ...jwk } = signer.publicJwk
  return {
    cnf: { jkt: await calculateJwkThumbprint(jwk) },
    signer,
    prove: (token, claims = {}, header = {}) =>
      signer.sign(
        {
          htm: 'POST',
          htu,
          iat: Math.floor(Date.now() / 1000),
          jti: randomUUID(),
          ...(token === null ? {} : { ath: hash('sha256', token, 'base64url') }),
          ...claims,
        } as JWTPayload,
        { kid: undefined as never, typ: 'dpop+jwt', jwk, ...header },
      ),
  }
}
