import type { ModelContract } from './model-contract.ts'

/** Tables of Better Auth's plug-ins that are packages of their own. */
export const pluginModels = ['OauthClient', 'OauthAccessToken', 'Apikey'] as const

/** What the gateway may ever see of them: a part of the contract, with the same rules. */
export const pluginTables: Readonly<Record<(typeof pluginModels)[number], ModelContract>> = {
  OauthClient: {
    dispensable: true,
    columns: {
      id: 'String',
      clientId: 'String',
      disabled: 'Boolean?',
    },
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
  Apikey: {
    dispensable: true,
    columns: {
      id: 'String',
      permissions: 'String?',
      enabled: 'Boolean?',
      expiresAt: 'DateTime?',
      // A number, of which no more is asked than whether there is one.
      remaining: 'Boolean?',
    },
    // Whose it is: the first two since keys can be an organization's, the third before.
    optional: { referenceId: 'String?', configId: 'String?', userId: 'String?' },
    essential: ['enabled', 'expiresAt', 'remaining', 'configId'],
    signature: ['key', 'rateLimitTimeWindow'],
  },
}
