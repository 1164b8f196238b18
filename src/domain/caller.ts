export const scopes = ['identity:read', 'identity:pii', 'permissions:check'] as const
export type Scope = (typeof scopes)[number]

/** Who sent the request, as far as the credential says; whether a user's account still lives is read with what is asked. */
export type Caller =
  | { readonly kind: 'anonymous' }
  | { readonly kind: 'user'; readonly userId: string }
  | { readonly kind: 'service'; readonly subject: string; readonly scopes: ReadonlySet<Scope> }

export const anonymous: Caller = { kind: 'anonymous' }

export interface Authenticator {
  /**
   * `anonymous` when there is no credential.
   * @throws GatewayError UNAUTHENTICATED for a credential that is present but bad, UNAVAILABLE or TIMEOUT when it cannot be checked.
   */
  authenticate(headers: { get(name: string): string | null }): Promise<Caller>
}
