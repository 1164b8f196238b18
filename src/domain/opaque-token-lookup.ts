/** An opaque access token of Better Auth's OAuth provider, without the token. */
export interface OpaqueToken {
  /** `null`: the client has it for itself. */
  readonly userId: string | null
  readonly clientId: string | null
  /** `null`: it hangs on no session, or on one that was deleted. */
  readonly sessionId: string | null
  /** Names, as the column keeps them: as an array, or as the text of one in JSON. */
  readonly scopes: unknown
  /** The same of the resources it was given for; `null`: for none. */
  readonly resources: unknown
  /** By the database's clock. */
  readonly expired: boolean
  readonly revoked: boolean
  /** What whoever shows it has to prove, as `cnf` of a JWT has it; `null`: nothing. */
  readonly confirmation: unknown
}

/** The way from an opaque access token to whom it speaks for. Tokens and their hashes are never read. */
export interface OpaqueTokenLookup {
  /**
   * @param hash Of the token, as Better Auth stores it. One statement.
   * @throws GatewayError UNAVAILABLE or TIMEOUT when tokens cannot be looked up.
   */
  findByHash(hash: string): Promise<OpaqueToken | null>
}
