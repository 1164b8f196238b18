import type { Organization } from './organization.ts'
import type { Page, PageRequest, Position } from './page.ts'
import type { User } from './user.ts'

/** One person's membership in one organization. */
export interface Member {
  readonly id: string
  readonly organizationId: string
  readonly userId: string
  /** Role names in the order stored, without blanks or empty names. */
  readonly roles: readonly string[]
  readonly createdAt: Date
}

/** A member in a list, with the entity on the other side, which the same statement read. */
export interface MemberWithUser {
  readonly member: Member
  readonly user: User
  readonly position: Position
}
export interface MemberWithOrganization {
  readonly member: Member
  readonly organization: Organization
  readonly position: Position
}

/** Whose memberships to show: all of them, or only those in organizations that this user belongs to as well. */
export type MembershipScope = { readonly sharedWith: string } | 'all'

/** Lists are ordered by creation time, then id, ascending. Every key that was asked for is in the answer. */
export interface MemberRepository {
  /** The memberships of these pairs that exist; the oldest where a pair has several. */
  findByPairs(
    pairs: readonly { readonly userId: string; readonly organizationId: string }[],
  ): Promise<readonly Member[]>
  listByOrganizationIds(
    organizationIds: readonly string[],
    page: PageRequest,
  ): Promise<ReadonlyMap<string, Page<MemberWithUser>>>
  listByUserIds(
    userIds: readonly string[],
    page: PageRequest,
    scope: MembershipScope,
  ): Promise<ReadonlyMap<string, Page<MemberWithOrganization>>>
  countByOrganizationIds(organizationIds: readonly string[]): Promise<ReadonlyMap<string, number>>
  countByUserIds(
    userIds: readonly string[],
    scope: MembershipScope,
  ): Promise<ReadonlyMap<string, number>>
}

/** Better Auth keeps several roles of a member in one column, separated by commas. */
export function parseRoles(stored: string): readonly string[] {
  return stored
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '')
}
