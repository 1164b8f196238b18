import type { AdditionalAudience } from '../domain/additional-field.ts'
import type { Scope } from '../domain/caller.ts'
import type { Permission } from '../domain/permission.ts'

/*
 * Who sees which field, past the doors. A caller who is in none of a field's audiences gets null with FORBIDDEN.
 */

export type UserAudience = 'self' | 'co-member' | 'platform admin' | Scope
export type Audience = UserAudience | AdditionalAudience

const plain = ['self', 'platform admin', 'identity:read'] as const
const personal = ['self', 'platform admin', 'identity:pii'] as const

/** Fields of a user. `id`, `name` and `image` are for everyone who reached the user. */
export const userAudiences = {
  email: ['co-member', ...personal],
  username: plain,
  displayUsername: plain,
  createdAt: plain,
  updatedAt: plain,
  emailVerified: personal,
  phoneNumber: personal,
  phoneNumberVerified: personal,
  twoFactorEnabled: personal,
  isAnonymous: personal,
  role: personal,
  roles: personal,
  banned: personal,
  isBanned: personal,
  banReason: personal,
  banExpires: personal,
  lastLoginMethod: personal,
  sessions: personal,
  accounts: ['self', 'identity:pii'],
  hasPassword: ['self', 'identity:pii'],
  // To platform admins, Better Auth shows none; to co-members those in organizations that they share.
  memberships: ['self', 'co-member', 'identity:read'],
  organizations: ['self', 'co-member', 'identity:read'],
  receivedInvitations: ['self'],
  passkeys: ['self'],
  apiKeys: ['self'],
  connectedApps: ['self'],
  subscriptions: ['self'],
  scimUsers: ['platform admin', 'identity:pii'],
} as const satisfies Record<string, readonly UserAudience[]>

export type GuardedUserField = keyof typeof userAudiences

/** Of a user's own fields, those that no app is shown: what they sign in with and where, and what plug-ins keep for them. */
export const undelegated: readonly GuardedUserField[] = [
  'lastLoginMethod',
  'sessions',
  'accounts',
  'hasPassword',
  'passkeys',
  'apiKeys',
  'connectedApps',
  'subscriptions',
  'scimUsers',
]

/** Who is shown a field of an organization: of its members, those of whom one of the first three is true. */
export interface OrganizationAudience {
  readonly permission?: Permission
  /** Holders of one of these roles. */
  readonly roles?: readonly string[]
  /** Holders of the role that whoever creates an organization gets. */
  readonly creators?: true
  /** `null`: no service, and so no app and no key. */
  readonly scope: Scope | null
}

/** Fields of an organization that take more than being a member of it: a permission or a role there, or a scope. */
export const organizationAudiences = {
  roles: { permission: 'ac:read', scope: 'identity:read' },
  /** What roles grant, where a permission is explained. */
  grants: { permission: 'ac:read', scope: 'permissions:check' },
  invitations: { permission: 'invitation:create', scope: 'identity:pii' },
  apiKeys: { permission: 'apiKey:read', creators: true, scope: null },
  // The sso plug-in goes by these two names, whatever else roles are called.
  ssoProviders: { roles: ['owner', 'admin'], scope: null },
  // Better Auth asks the application, whose answer nobody else knows.
  subscriptions: { creators: true, scope: null },
} as const satisfies Record<string, OrganizationAudience>

/** The doors to lists of everything. */
export const listAudiences = {
  users: ['platform admin', 'identity:read'],
  organizations: ['identity:read'],
  /** What has changed, of whomever. */
  changes: ['identity:read'],
} as const satisfies Record<string, readonly UserAudience[]>

export type GuardedOrganizationField = keyof typeof organizationAudiences

/** Whether services need more than `identity:read` for it. */
export function isPersonal(audience: readonly Audience[]): boolean {
  return !audience.includes('identity:read')
}

/** Fields with personal data, as `Type.field`. */
export const personalFields: readonly string[] = [
  ...Object.entries(userAudiences)
    .filter(([, audience]) => isPersonal(audience))
    .map(([field]) => `User.${field}`),
  ...Object.entries(organizationAudiences)
    .filter(([, { scope }]) => scope === 'identity:pii')
    .map(([field]) => `Organization.${field}`),
]
