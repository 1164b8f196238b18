/** The way from a session token to its user. Tokens themselves are never read. */
export interface SessionLookup {
  /**
   * The user of a session that has not expired, by the database's clock; `null`: there is none. One statement.
   * @throws GatewayError UNAVAILABLE or TIMEOUT when sessions cannot be looked up.
   */
  findUserId(token: string): Promise<string | null>
}
