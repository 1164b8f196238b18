import type { ModelContract } from './model-contract.ts'

/** Tables of Better Auth's plug-ins that are packages of their own. */
export const pluginModels = [
  'OauthClient',
  'OauthAccessToken',
  'OauthConsent',
  'Apikey',
  'Passkey',
  'SsoProvider',
  'ScimUser',
  'Subscription',
] as const

/** What the gateway may ever see of them: a part of the contract, with the same rules. */
export const pluginTables: Readonly<Record<(typeof pluginModels)[number], ModelContract>> = {
  OauthClient: {
    dispensable: true,
    columns: {
      id: 'String',
      clientId: 'String',
      disabled: 'Boolean?',
    },
    optional: { name: 'String?', uri: 'String?', icon: 'String?' },
    unique: ['clientId'],
    essential: ['disabled'],
    signature: ['clientSecret', 'redirectUris'],
  },
  OauthAccessToken: {
    dispensable: true,
    columns: {
      id: 'String',
      userId: 'String?',
      clientId: 'String',
      sessionId: 'String?',
      scopes: 'String',
      resources: 'String?',
      expiresAt: 'DateTime',
      revoked: 'DateTime?',
      confirmation: 'String?',
    },
    lists: ['scopes', 'resources'],
    essential: ['userId', 'sessionId', 'resources', 'revoked', 'confirmation'],
    signature: ['token', 'refreshId'],
  },
  OauthConsent: {
    dispensable: true,
    columns: {
      id: 'String',
      clientId: 'String',
      userId: 'String?',
      scopes: 'String',
      createdAt: 'DateTime?',
    },
    // Since 1.7 a row is a consent; before, it said whether it was one.
    optional: { resources: 'String?', consentGiven: 'Boolean?' },
    arrays: ['scopes', 'resources'],
    essential: ['consentGiven'],
    signature: ['requestedUserInfoClaims', 'updatedAt'],
  },
  Apikey: {
    dispensable: true,
    columns: {
      id: 'String',
      permissions: 'String?',
      enabled: 'Boolean?',
      expiresAt: 'DateTime?',
      remaining: 'Int?',
    },
    optional: {
      // Whose it is: the first two since keys can be an organization's, the third before.
      referenceId: 'String?',
      configId: 'String?',
      userId: 'String?',
      name: 'String?',
      start: 'String?',
      prefix: 'String?',
      lastRequest: 'DateTime?',
      createdAt: 'DateTime?',
    },
    essential: ['enabled', 'expiresAt', 'remaining', 'configId'],
    signature: ['key', 'rateLimitTimeWindow'],
  },
  Passkey: {
    dispensable: true,
    columns: {
      id: 'String',
      userId: 'String',
      name: 'String?',
      deviceType: 'String',
      backedUp: 'Boolean',
      createdAt: 'DateTime?',
      aaguid: 'String?',
    },
    relations: { user: { column: 'userId', to: 'User', back: 'passkeys' } },
    signature: ['publicKey', 'credentialID', 'counter'],
  },
  SsoProvider: {
    dispensable: true,
    columns: {
      id: 'String',
      providerId: 'String',
      issuer: 'String',
      domain: 'String',
      organizationId: 'String?',
    },
    optional: { domainVerified: 'Boolean?' },
    signature: ['oidcConfig', 'samlConfig'],
  },
  ScimUser: {
    dispensable: true,
    columns: {
      id: 'String',
      userId: 'String',
      active: 'Boolean',
      externalId: 'String?',
      displayName: 'String',
      createdAt: 'DateTime',
    },
    relations: { user: { column: 'userId', to: 'User', back: 'scimUsers' } },
    signature: ['connectionId', 'userNameKey'],
  },
  Subscription: {
    dispensable: true,
    columns: {
      id: 'String',
      plan: 'String',
      referenceId: 'String',
      status: 'String',
      periodStart: 'DateTime?',
      periodEnd: 'DateTime?',
      cancelAtPeriodEnd: 'Boolean?',
      seats: 'Int?',
    },
    optional: {
      trialStart: 'DateTime?',
      trialEnd: 'DateTime?',
      cancelAt: 'DateTime?',
      canceledAt: 'DateTime?',
      endedAt: 'DateTime?',
      billingInterval: 'String?',
    },
    signature: ['stripeCustomerId', 'stripeSubscriptionId'],
  },
}
