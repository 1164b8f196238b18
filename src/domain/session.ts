import type { CountsByParent, Listed, PageRequest, PagesByParent } from './page.ts'

/** A sign-in of a user on one device. Its token is not part of it. */
export interface Session {
  readonly id: string
  readonly userId: string
  readonly createdAt: Date
  readonly updatedAt: Date
  readonly expiresAt: Date
  readonly ipAddress: string | null
  readonly userAgent: string | null
  readonly activeOrganizationId: string | null
  readonly activeTeamId: string | null
  /** The platform admin who acts as this user. */
  readonly impersonatedBy: string | null
}

/** Sessions that have not expired, by the database's clock, ordered by creation time, then id, ascending. */
export interface SessionRepository {
  /** The sessions that there are, also those that have ended, in any order. */
  findByIds(ids: readonly string[]): Promise<readonly Session[]>
  listByUserIds(
    userIds: readonly string[],
    page: PageRequest,
  ): Promise<PagesByParent<Listed<Session>>>
  countByUserIds(userIds: readonly string[]): Promise<CountsByParent>
}
