import type { CountsByParent, Listed, PageRequest, PagesByParent } from './page.ts'

export const invitationStatuses = ['PENDING', 'ACCEPTED', 'REJECTED', 'CANCELED'] as const
export type InvitationStatus = (typeof invitationStatuses)[number]

/** An offer to join an organization. Its id acts as the invitation link. */
export interface Invitation {
  readonly id: string
  readonly organizationId: string
  readonly organizationName: string
  /** In lower case. */
  readonly email: string
  readonly roles: readonly string[]
  /** As stored: a pending one may have run out, see `expiresAt`. */
  readonly status: InvitationStatus
  readonly teamIds: readonly string[]
  readonly inviterId: string
  readonly expiresAt: Date
  readonly createdAt: Date | null
}

export interface InvitationFilter {
  readonly status?: InvitationStatus | undefined
  /** Leaves out invitations that offer this role, unless this user holds it in each of their memberships there. */
  readonly onlyForHolder?: { readonly role: string; readonly userId: string } | undefined
}

/** Lists are ordered by creation time, then id, ascending. */
export interface InvitationRepository {
  /** The invitations that exist and of which the filter is true, in any order. */
  findByIds(
    ids: readonly string[],
    filter: Pick<InvitationFilter, 'onlyForHolder'>,
  ): Promise<readonly Invitation[]>
  listByOrganizationIds(
    organizationIds: readonly string[],
    page: PageRequest,
    filter: InvitationFilter,
  ): Promise<PagesByParent<Listed<Invitation>>>
  countByOrganizationIds(
    organizationIds: readonly string[],
    filter: InvitationFilter,
  ): Promise<CountsByParent>
  /** Addresses in lower case, as Better Auth stores them. */
  listByEmails(
    emails: readonly string[],
    page: PageRequest,
    filter: InvitationFilter,
  ): Promise<PagesByParent<Listed<Invitation>>>
  countByEmails(emails: readonly string[], filter: InvitationFilter): Promise<CountsByParent>
}
