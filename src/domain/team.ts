import type { CountsByParent, Listed, PageRequest, PagesByParent } from './page.ts'
import type { Subject } from './permission.ts'
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

/** Teams of one person in one organization. */
export interface TeamsOfMember extends Subject {
  /** The oldest first, at most `MOST_TEAMS`. */
  readonly teams: readonly Team[]
}

/** Of one member, that are told of. */
export const MOST_TEAMS = 100

/** Lists are ordered by creation time, then id, ascending. */
export interface TeamRepository {
  /** The teams that exist, in any order. Unknown ids are left out. */
  findByIds(ids: readonly string[]): Promise<readonly Team[]>
  /** Of these pairs, those who are in a team, in any order. */
  findByPairs(pairs: readonly Subject[]): Promise<readonly TeamsOfMember[]>
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
