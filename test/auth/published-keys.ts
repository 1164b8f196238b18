import type { Identity } from '../support/identity.ts'
import type { Signer } from '../support/tokens.ts'

/** Adds a public key to Better Auth's own table, dated so that Better Auth never signs with it. */
export async function publishKey(
  { sql }: Identity,
  { kid, alg, publicJwk }: Signer,
  expiresAt: Date | null = null,
): Promise<void> {
  const { kid: _kid, alg: _alg, ...jwk } = publicJwk
  await sql(
    `insert into jwks (id, public_key, private_key, alg, created_at, expires_at)
     values ($1, $2, 'none', $3, '2020-01-01', $4)`,
    [kid, JSON.stringify(jwk), alg, expiresAt],
  )
}
