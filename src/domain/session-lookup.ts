/** A session of Better Auth, without its token. */
export interface LivingSession {
  readonly userId: string
  /** Whether a platform admin acts as that user in it. */
  readonly impersonated: boolean
}

/** The way from a session token to its user. Tokens themselves are never read. */
export interface SessionLookup {
  /**
   * A session that has not expired, by the database's clock; `null`: there is none. One statement.
   * @throws GatewayError UNAVAILABLE or TIMEOUT when sessions cannot be looked up.
   */
  findByToken(token: string): Promise<LivingSession | null>
  /**
   * The id of a session that has not expired. One statement. `null`: there is none, or the database's owner has not let
   * the gateway ask.
   * @throws GatewayError UNAVAILABLE or TIMEOUT when the database cannot answer.
   */
  findIdByToken(token: string): Promise<string | null>
}
