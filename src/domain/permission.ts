import type { HeldRoles } from './explanation.ts'

/** `resource:action`, split at the first colon, both parts non-empty. */
export type Permission = string

/** The person in the organization whose permissions are asked for. */
export interface Subject {
  readonly userId: string
  readonly organizationId: string
}

/** The pair as one text, for maps and loaders: different pairs have different texts. */
export function pairKey({ organizationId, userId }: Subject): string {
  return JSON.stringify([organizationId, userId])
}

/** A role whose permissions are kept in the database, as stored: `permission` is JSON text that may be malformed. */
export interface DynamicRole {
  readonly role: string
  readonly permission: string
}

export interface SubjectRoles extends Subject {
  /** False when the user does not exist or is effectively banned. */
  readonly active: boolean
  /** The role column of each member row. Better Auth can leave several for one pair; none: not a member. */
  readonly memberships: readonly string[]
}

export interface RolesRead {
  /** The database's clock when the rows were read. */
  readonly readAt: Date
  /** One for each subject asked for, in the same order. */
  readonly subjects: readonly SubjectRoles[]
  /** All dynamic roles of the organizations asked for; empty unless they were asked for. */
  readonly dynamicRoles: ReadonlyMap<string, readonly DynamicRole[]>
}

/** A role of an organization and what it grants. */
export interface OrganizationRole {
  readonly name: string
  /** Sorted, without duplicates. */
  readonly permissions: readonly Permission[]
  /** From the configuration, from the database, or what both together grant. */
  readonly source: 'STATIC' | 'DYNAMIC' | 'BOTH'
}

/** A role that grants a permission, in one organization or, when that is `null`, in every one. */
export interface GrantingRole {
  readonly organizationId: string | null
  readonly role: string
}

/** Organizations by id, or all those that these users belong to. */
export type OrganizationsAsked =
  | { readonly organizationIds: readonly string[] }
  | { readonly ofUserIds: readonly string[] }

export interface RoleRepository {
  /** The dynamic roles of each of these organizations that has any. */
  findDynamicRoles(
    organizations: OrganizationsAsked,
  ): Promise<ReadonlyMap<string, readonly DynamicRole[]>>
  /** One statement, whatever the number of subjects. */
  findRoles(
    subjects: readonly Subject[],
    options: { readonly dynamic: boolean },
  ): Promise<RolesRead>
}

/** What a subject may do, as it was when the members table was read. */
export interface Grant {
  /** False when the user did not exist or was effectively banned: no permissions then. */
  readonly active: boolean
  readonly member: boolean
  /** The member's role names; empty for a non-member. */
  readonly roles: readonly string[]
  /** Sorted, without duplicates. */
  readonly permissions: readonly Permission[]
  readonly resolvedAt: Date
  readonly source: 'CACHE' | 'DATABASE'
}

/** CACHED: at most the cache's time to live behind the members table. FRESH: read after this question was asked. */
export type Consistency = 'CACHED' | 'FRESH'

export interface PermissionService {
  /** Whether some role grants it. `null`: nobody knows without asking the database, which has roles as well. */
  isDefined(permission: Permission): boolean | null

  /**
   * One grant for each subject, in the same order; one cache round trip and at most one SQL statement for all.
   * @throws GatewayError UNAVAILABLE or TIMEOUT when the database cannot answer. A cache in trouble is never an error.
   */
  resolve(subjects: readonly Subject[], consistency: Consistency): Promise<readonly Grant[]>

  /** The roles that exist in each of these organizations, by name; read anew, as the database is now. */
  describeRoles(
    organizationIds: readonly string[],
  ): Promise<ReadonlyMap<string, readonly OrganizationRole[]>>
  /** What each subject holds, in the same order, with what roles grant there; read anew, in one statement. */
  findHeldRoles(subjects: readonly Subject[]): Promise<readonly HeldRoles[]>
  /** Every role that grants the permission in one of these organizations; read anew, as the database is now. */
  findGrantingRoles(
    permission: Permission,
    organizations: OrganizationsAsked,
  ): Promise<readonly GrantingRole[]>
}
