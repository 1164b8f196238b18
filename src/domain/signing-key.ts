/** A public key that Better Auth signs tokens with. */
export interface SigningKey {
  readonly kid: string
  /** The public JWK, without `kid` and `alg`. */
  readonly jwk: Readonly<Record<string, unknown>>
  /** `null` on rows from before Better Auth 1.7. */
  readonly alg: string | null
  readonly expiresAt: Date | null
}

export interface SigningKeyRepository {
  /** Every key of the table; rows that cannot be parsed are left out. */
  findAll(): Promise<readonly SigningKey[]>
}
