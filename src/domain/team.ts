import type { CountsByParent, Listed, PageRequest, PagesByParent } from './page.ts'
import type { UserSummary } from './user.ts'

/** A part of an organization. */
export interface Team {
  readonly id: string
  readonly organizationId: string
  readonly name: string
  readonly createdAt: Date
}

export interface TeamMember {
  readonly id: string
  readonly teamId: string
  readonly userId: string
  /** `null` on rows that Better Auth wrote without it. */
  readonly createdAt: Date | null
}

export interface TeamMemberWithUser extends TeamMember {
  readonly user: UserSummary
}

/** Lists are ordered by creation time, then id, ascending. */
export interface TeamRepository {
  /** The teams that exist, in any order. Unknown ids are left out. */
  findByIds(ids: readonly string[]): Promise<readonly Team[]>
  listByOrganizationIds(
    organizationIds: readonly string[],
    page: PageRequest,
  ): Promise<PagesByParent<Listed<Team>>>
  countByOrganizationIds(organizationIds: readonly string[]): Promise<CountsByParent>
  /** The teams of one user in these organizations, the oldest first. */
  findByUserId(userId: string, organizationIds: readonly string[]): Promise<readonly Team[]>
  listMembers(
    teamIds: readonly string[],
    page: PageRequest,
  ): Promise<PagesByParent<Listed<TeamMemberWithUser>>>
  countMembers(teamIds: readonly string[]): Promise<CountsByParent>
}
