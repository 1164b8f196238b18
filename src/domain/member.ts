import type { AdditionalValues } from './additional-field.ts'
import type { Organization } from './organization.ts'
import type { CountsByParent, Listed, Order, PageRequest, PagesByParent } from './page.ts'
import type { GrantingRole, Subject } from './permission.ts'
import type { UserSearch, UserSummary } from './user.ts'

/** One person's membership in one organization. */
export interface Member {
  readonly id: string
  readonly organizationId: string
  readonly userId: string
  /** Role names in the order stored, without blanks or empty names. */
  readonly roles: readonly string[]
  readonly createdAt: Date
  readonly additional: AdditionalValues
}

/** A member with the entity on the other side, which the same statement read. */
export interface MemberWithUser extends Member {
  readonly user: UserSummary
}
export interface MemberWithOrganization extends Member {
  readonly organization: Organization
}

/** Which memberships to show: all, none, only those in one organization, or in those that this user belongs to as well. */
export type MembershipScope =
  | { readonly sharedWith: string }
  | { readonly organizationId: string }
  | 'all'
  | 'none'

export type MemberOrder = Order<'CREATED_AT' | 'USER_NAME' | 'USER_EMAIL' | 'ROLE'>

/** By when they were joined, or by the name of the organization. */
export type MembershipOrder = Order<'JOINED_AT' | 'NAME'>

/**
 * Every condition given must hold. `grantedBy` is that of a permission which these roles grant: one of them is held, by
 * every row of the pair where Better Auth left several, and the user is neither missing nor effectively banned.
 */
export interface MemberFilter {
  /** At least one of these roles is held. */
  readonly roles?: readonly string[] | undefined
  readonly grantedBy?: readonly GrantingRole[] | undefined
  readonly userIds?: readonly string[] | undefined
  readonly search?: UserSearch | undefined
}

export interface MembershipFilter extends Pick<MemberFilter, 'roles' | 'grantedBy'> {
  readonly scope: MembershipScope
}

/** Lists are ordered by creation time, then id, ascending, where no other order is given. */
export interface MemberRepository {
  /** The memberships that exist, in any order. Unknown ids are left out. */
  findByIds(ids: readonly string[]): Promise<readonly MemberWithUser[]>
  /** The memberships of these pairs that exist; the oldest where a pair has several. */
  findByPairs(pairs: readonly Subject[]): Promise<readonly MemberWithUser[]>
  listByOrganizationIds(
    organizationIds: readonly string[],
    page: PageRequest,
    filter: MemberFilter,
    order: MemberOrder,
  ): Promise<PagesByParent<Listed<MemberWithUser>>>
  countByOrganizationIds(
    organizationIds: readonly string[],
    filter: MemberFilter,
  ): Promise<CountsByParent>
  listByUserIds(
    userIds: readonly string[],
    page: PageRequest,
    filter: MembershipFilter,
    order?: MembershipOrder,
  ): Promise<PagesByParent<Listed<MemberWithOrganization>>>
  countByUserIds(userIds: readonly string[], filter: MembershipFilter): Promise<CountsByParent>
}

/** Better Auth keeps several roles of a member in one column, separated by commas. */
export function parseRoles(stored: string): readonly string[] {
  // As a rule it is one name, and a page has many members.
  if (!/[,\s]/.test(stored)) return stored === '' ? [] : [stored]
  return stored
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '')
}
