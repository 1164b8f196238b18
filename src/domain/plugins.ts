/*
 * What plug-ins of Better Auth that are packages of their own keep for users and organizations, without its secrets. A
 * database has it where the plug-in is used; what one lacks belongs to nobody.
 */

/** A passkey with which a user signs in, without its key. */
export interface Passkey {
  readonly id: string
  readonly userId: string
  readonly name: string | null
  /** `singleDevice` or `multiDevice`. */
  readonly deviceType: string
  readonly backedUp: boolean
  readonly createdAt: Date | null
  /** Which model of authenticator holds it. */
  readonly aaguid: string | null
}

/** An API key of a user or an organization, without the key. */
export interface ApiKey {
  readonly id: string
  readonly ownerId: string
  /** The configuration of the plug-in under which it was made. */
  readonly configId: string | null
  readonly name: string | null
  /** How the key begins, where the plug-in keeps that. */
  readonly start: string | null
  readonly prefix: string | null
  /** `null`: nobody said so, which is yes. */
  readonly enabled: boolean | null
  readonly expiresAt: Date | null
  readonly lastUsedAt: Date | null
  /** `null`: its uses are not counted. */
  readonly remaining: number | null
  /** Names of actions by that of the resource. */
  readonly permissions: unknown
  readonly createdAt: Date | null
}

/** An app to which a user has consented. */
export interface ConnectedApp {
  readonly id: string
  readonly userId: string
  readonly clientId: string
  /** The next three are what the app says of itself; `null` when there is no such app any more. */
  readonly name: string | null
  readonly uri: string | null
  readonly icon: string | null
  readonly scopes: readonly string[]
  /** `null`: none were named. */
  readonly resources: readonly string[] | null
  readonly createdAt: Date | null
}

/** Where members of an organization sign in, without how. */
export interface SsoProvider {
  readonly id: string
  readonly organizationId: string
  readonly providerId: string
  readonly issuer: string
  readonly domain: string
  readonly domainVerified: boolean | null
}

/** What a directory of a customer's says of a user, which it provisions by SCIM. */
export interface ScimUser {
  readonly id: string
  readonly userId: string
  readonly active: boolean
  /** What the directory knows the user by. */
  readonly externalId: string | null
  readonly displayName: string
}

/** What a user or an organization pays for, without what Stripe calls it. */
export interface Subscription {
  readonly id: string
  /** Of the user or the organization. */
  readonly referenceId: string
  readonly plan: string
  readonly status: string
  readonly periodStart: Date | null
  readonly periodEnd: Date | null
  readonly trialStart: Date | null
  readonly trialEnd: Date | null
  readonly cancelAtPeriodEnd: boolean | null
  readonly cancelAt: Date | null
  readonly canceledAt: Date | null
  readonly endedAt: Date | null
  readonly seats: number | null
  readonly billingInterval: string | null
}

/** Each finds what belongs to all these owners, in a fixed order. */
export interface PluginRepositories {
  readonly passkeys: {
    findByUserIds(userIds: readonly string[]): Promise<readonly Passkey[]>
  }
  readonly connectedApps: {
    findByUserIds(userIds: readonly string[]): Promise<readonly ConnectedApp[]>
  }
  readonly ssoProviders: {
    findByOrganizationIds(organizationIds: readonly string[]): Promise<readonly SsoProvider[]>
  }
  readonly scimUsers: {
    findByUserIds(userIds: readonly string[]): Promise<readonly ScimUser[]>
  }
  /** Those that are active or on trial. `null`: nothing says whether they are users' or organizations'. */
  readonly subscriptions: {
    findByOwnerIds(ownerIds: readonly string[]): Promise<readonly Subscription[] | null>
  }
  /** `null`: nothing says whether keys are users' or organizations'. */
  readonly apiKeys: {
    findByUserIds(userIds: readonly string[]): Promise<readonly ApiKey[] | null>
    findByOrganizationIds(organizationIds: readonly string[]): Promise<readonly ApiKey[] | null>
  }
}
