export const scopes = ['identity:read', 'identity:pii', 'permissions:check'] as const
export type Scope = (typeof scopes)[number]

/** Who sent the request, as far as the credential says; whether a user's account still lives is read with what is asked. */
export type Caller =
  | {
      readonly kind: 'anonymous'
      /** Of a session's cookie that came all the same. */
      readonly ignored?: IgnoredCookie
    }
  | {
      readonly kind: 'user'
      readonly userId: string
      /** That a platform admin acts as this user, as far as the credential says so. */
      readonly impersonated?: true
      /** Finds the id of the session that the credential is of, where it says so; `null`: nobody knows. */
      readonly findSession?: () => Promise<string | null>
    }
  /** A user, through an app or a key of theirs that may read what these scopes say: never more than they see themselves. */
  | {
      readonly kind: 'delegated'
      readonly userId: string
      readonly scopes: ReadonlySet<Scope>
      readonly delegation: Delegation
    }
  /** An organization, as a machine that has a key of it. */
  | {
      readonly kind: 'organization'
      readonly organizationId: string
      readonly keyId: string
      readonly scopes: ReadonlySet<Scope>
    }
  | {
      readonly kind: 'service'
      /** What its issuer calls it. */
      readonly subject: string
      readonly scopes: ReadonlySet<Scope>
    }

/**
 * Why the cookie of a session does not count: sessions are no credentials here, its page is of another site, nothing proves
 * that its page was asked about first, it is not signed by Better Auth's secret, or its session is over.
 */
export type IgnoredCookie =
  | 'needs AUTH_SESSIONS'
  | 'origin'
  | 'needs preflight'
  | 'signature'
  | 'session'

export function userOf(
  userId: string,
  impersonated: boolean,
  findSession?: () => Promise<string | null>,
): Caller {
  const user = { kind: 'user', userId, ...(impersonated && { impersonated }) } as const
  return findSession ? { ...user, findSession } : user
}

/** What the log calls a caller. Whoever is impersonated sees what that user does, and is told apart here alone. */
export function kindOf(caller: Caller): Caller['kind'] | 'impersonated' {
  return caller.kind === 'user' && caller.impersonated ? 'impersonated' : caller.kind
}

/** Whose share of what is bounded a caller uses; `null`: that of where the request came from. */
export function shareOf(caller: Caller): string | null {
  switch (caller.kind) {
    case 'anonymous':
      return null
    case 'user':
    case 'delegated':
      return `user:${caller.userId}`
    case 'organization':
      return `organization:${caller.organizationId}`
    case 'service':
      return `service:${caller.subject}`
    default:
      return caller satisfies never
  }
}

/**
 * How much of what is bounded may be used for one share at once, so that there is always some for others: services ask
 * for many, and users for themselves.
 */
export function partOf(share: string): number {
  return share.startsWith('service:') ? 3 / 4 : 1 / 4
}

/** What speaks for a user: an app, or the key with which the request came. */
export type Delegation = Consent | { readonly keyId: string }

/** What an app speaks for a user by. It ends with the client, and with the session in which the user consented. */
export interface Consent {
  readonly clientId: string
  /** `null`: it hangs on no session. */
  readonly sessionId: string | null
}

export const anonymous: Caller = { kind: 'anonymous' }

export function anonymousFor(ignored: IgnoredCookie): Caller {
  return { kind: 'anonymous', ignored }
}

export interface Authenticator {
  /**
   * `anonymous` when there is no credential.
   * @param method Of the request, for which a proof is signed.
   * @param url What it is signed for; absent: what clients of the graph ask.
   * @throws GatewayError UNAUTHENTICATED for a credential that is present but bad, UNAVAILABLE or TIMEOUT when it cannot be checked.
   */
  authenticate(
    headers: { get(name: string): string | null },
    method: string,
    url?: string | null,
  ): Promise<Caller>

  /**
   * The same later in the same request, for which nobody signs another proof of holding a key.
   * @throws GatewayError as `authenticate`
   */
  again(headers: { get(name: string): string | null }): Promise<Caller>
}
