import type { ModelContract } from './model-contract.ts'
import { pluginModels, pluginTables } from './plugin-tables.ts'

/** Tables of Better Auth under the names this project calls them by. */
export const models = [
  'User',
  'Session',
  'Account',
  'Organization',
  'Member',
  'Invitation',
  'Team',
  'TeamMember',
  'OrganizationRole',
  'Jwks',
  ...pluginModels,
] as const
export type Model = (typeof models)[number]

/**
 * Every table and column that the gateway may ever see, and nothing else: what is not listed here cannot be selected.
 * So no session tokens, no passwords or provider tokens, no private keys. A model comes after those it points to.
 */
export const contract: Readonly<Record<Model, ModelContract>> = {
  User: {
    required: true,
    columns: {
      id: 'String',
      name: 'String',
      email: 'String',
      emailVerified: 'Boolean',
      image: 'String?',
      createdAt: 'DateTime',
      updatedAt: 'DateTime',
    },
    optional: {
      username: 'String?',
      displayUsername: 'String?',
      phoneNumber: 'String?',
      phoneNumberVerified: 'Boolean?',
      twoFactorEnabled: 'Boolean?',
      isAnonymous: 'Boolean?',
      role: 'String?',
      banned: 'Boolean?',
      banReason: 'String?',
      banExpires: 'DateTime?',
      lastLoginMethod: 'String?',
    },
    unique: ['email'],
    essential: ['banned'],
    lists: ['role'],
  },
  Session: {
    dispensable: true,
    columns: {
      id: 'String',
      userId: 'String',
      expiresAt: 'DateTime',
      createdAt: 'DateTime',
      updatedAt: 'DateTime',
      ipAddress: 'String?',
      userAgent: 'String?',
    },
    optional: {
      activeOrganizationId: 'String?',
      activeTeamId: 'String?',
      impersonatedBy: 'String?',
    },
    relations: { user: { column: 'userId', to: 'User', back: 'sessions' } },
  },
  Account: {
    dispensable: true,
    columns: {
      id: 'String',
      userId: 'String',
      providerId: 'String',
      accountId: 'String',
      scope: 'String?',
      createdAt: 'DateTime',
      updatedAt: 'DateTime',
    },
    relations: { user: { column: 'userId', to: 'User', back: 'accounts' } },
  },
  Organization: {
    columns: {
      id: 'String',
      name: 'String',
      slug: 'String',
      logo: 'String?',
      metadata: 'String?',
      createdAt: 'DateTime',
    },
    unique: ['slug'],
  },
  Member: {
    columns: {
      id: 'String',
      organizationId: 'String',
      userId: 'String',
      role: 'String',
      createdAt: 'DateTime',
    },
    lists: ['role'],
    relations: {
      organization: { column: 'organizationId', to: 'Organization', back: 'members' },
      user: { column: 'userId', to: 'User', back: 'members' },
    },
  },
  Invitation: {
    dispensable: true,
    columns: {
      id: 'String',
      organizationId: 'String',
      email: 'String',
      role: 'String?',
      status: 'String',
      inviterId: 'String',
      expiresAt: 'DateTime',
    },
    optional: { createdAt: 'DateTime?', teamId: 'String?' },
    lists: ['role', 'teamId'],
    relations: {
      organization: { column: 'organizationId', to: 'Organization', back: 'invitations' },
      inviter: { column: 'inviterId', to: 'User', back: 'sentInvitations' },
    },
  },
  Team: {
    dispensable: true,
    partner: 'TeamMember',
    columns: {
      id: 'String',
      organizationId: 'String',
      name: 'String',
      createdAt: 'DateTime',
    },
    optional: { updatedAt: 'DateTime?' },
    relations: {
      organization: { column: 'organizationId', to: 'Organization', back: 'teams' },
    },
    signature: ['memberCount'],
  },
  TeamMember: {
    dispensable: true,
    columns: {
      id: 'String',
      teamId: 'String',
      userId: 'String',
      createdAt: 'DateTime?',
    },
    relations: {
      team: { column: 'teamId', to: 'Team', back: 'members' },
      user: { column: 'userId', to: 'User', back: 'teamMembers' },
    },
    signature: ['membershipKey'],
  },
  OrganizationRole: {
    columns: {
      id: 'String',
      organizationId: 'String',
      role: 'String',
      permission: 'String',
      createdAt: 'DateTime',
    },
    optional: { updatedAt: 'DateTime?' },
    relations: {
      organization: { column: 'organizationId', to: 'Organization', back: 'roles' },
    },
  },
  Jwks: {
    columns: {
      id: 'String',
      publicKey: 'String',
      createdAt: 'DateTime',
    },
    optional: {
      expiresAt: 'DateTime?',
      alg: 'String?',
      crv: 'String?',
    },
    essential: ['expiresAt'],
    signature: ['privateKey'],
  },
  ...pluginTables,
}

/** What the owner's functions find rows by: secrets, and so no columns of the contract. */
export const tokenFields: Readonly<Partial<Record<Model, string>>> = {
  Session: 'token',
  OauthAccessToken: 'token',
  Apikey: 'key',
}

/** Whether a field holds what identifies a row, its own or another, and so may be numbered. */
export function isId(field: string): boolean {
  return field === 'id' || /(Id|By)$/.test(field)
}

/** Prisma types of all columns that a model may have. */
export function fieldsOf(model: Model): Readonly<Record<string, string>> {
  return { ...contract[model].columns, ...contract[model].optional }
}

/** Whether Better Auth keeps no NULL in a column. */
export function isAssured(model: Model, field: string): boolean {
  return fieldsOf(model)[field]?.endsWith('?') === false
}
