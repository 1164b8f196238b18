import {
  type Invitation,
  type InvitationFilter,
  type InvitationRepository,
  type InvitationStatus,
  invitationStatuses,
} from '../domain/invitation.ts'
import { parseRoles } from '../domain/member.ts'
import type { CountsByParent, Listed, PageRequest, PagesByParent } from '../domain/page.ts'
import { type Database, Prisma } from './client.ts'
import { allOf, holdsRole } from './conditions.ts'
import { byCreation, countRows, type List, listPages } from './list.ts'
import { reader, type Tables } from './tables.ts'

const invitationFields = [
  'id',
  'organizationId',
  'email',
  'role',
  'status',
  'teamId',
  'inviterId',
  'expiresAt',
  'createdAt',
] as const

/** Whose list an invitation is in: the organization's, or that of the address it was sent to. */
type Parent = 'organizationId' | 'email'

export class PrismaInvitationRepository implements InvitationRepository {
  readonly #database: Database
  readonly #tables: Tables

  constructor(database: Database, tables: Tables) {
    this.#database = database
    this.#tables = tables
  }

  listByOrganizationIds(
    organizationIds: readonly string[],
    page: PageRequest,
    filter: InvitationFilter,
  ): Promise<PagesByParent<Listed<Invitation>>> {
    return this.#pages('organizationId', organizationIds, page, filter)
  }

  countByOrganizationIds(
    organizationIds: readonly string[],
    filter: InvitationFilter,
  ): Promise<CountsByParent> {
    return countRows(this.#database, this.#list('organizationId', filter), organizationIds)
  }

  listByEmails(
    emails: readonly string[],
    page: PageRequest,
    filter: InvitationFilter,
  ): Promise<PagesByParent<Listed<Invitation>>> {
    return this.#pages('email', emails, page, filter)
  }

  countByEmails(emails: readonly string[], filter: InvitationFilter): Promise<CountsByParent> {
    return countRows(this.#database, this.#list('email', filter), emails)
  }

  #pages(
    parent: Parent,
    parentIds: readonly string[],
    page: PageRequest,
    filter: InvitationFilter,
  ): Promise<PagesByParent<Listed<Invitation>>> {
    const columns = Prisma.join([
      this.#tables.as('Invitation', 'i').select(invitationFields),
      this.#tables.as('Organization', 'o').select(['name']),
    ])
    const list = this.#list(parent, filter)
    return listPages(this.#database, list, columns, readInvitation, parentIds, page)
  }

  #list(parent: Parent, { status, onlyForHolder }: InvitationFilter): List {
    const invitation = this.#tables.as('Invitation', 'i')
    const organization = this.#tables.as('Organization', 'o')
    return {
      table: invitation,
      parent,
      key: byCreation(invitation),
      direction: 'ASC',
      join: Prisma.sql`JOIN ${organization.from}
        ON ${organization.column('id')} = ${invitation.column('organizationId')}`,
      where: allOf([
        status && Prisma.sql`${invitation.column('status')}::text = ${status.toLowerCase()}`,
        onlyForHolder &&
          Prisma.sql`(NOT ${holdsRole(invitation.column('role'), [onlyForHolder.role])}
            OR ${this.#holds(onlyForHolder)})`,
      ]),
    }
  }

  /** Every row counts where Better Auth left several for one person in one organization. */
  #holds({ role, userId }: NonNullable<InvitationFilter['onlyForHolder']>): Prisma.Sql {
    const invitation = this.#tables.as('Invitation', 'i')
    const member = this.#tables.as('Member', 'm')
    return Prisma.sql`COALESCE((
      SELECT bool_and(${holdsRole(member.column('role'), [role])}) FROM ${member.from}
      WHERE ${member.column('organizationId')} = ${invitation.column('organizationId')}
        AND ${member.column('userId')} = ANY(${member.array('userId', [userId])})), FALSE)`
  }
}

type Row = Readonly<Record<string, unknown>>

interface Columns extends Omit<Invitation, 'roles' | 'status' | 'teamIds' | 'organizationName'> {
  readonly role: string | null
  readonly status: string
  readonly teamId: string | null
}

const readColumns = reader<Columns>('i', invitationFields)
const readOrganization = reader<{ readonly name: string }>('o', ['name'])

function readInvitation(row: Row): Invitation {
  const { role, status, teamId, ...rest } = readColumns(row)
  return {
    ...rest,
    organizationName: readOrganization(row).name,
    roles: parseRoles(role ?? ''),
    status: toStatus(status),
    teamIds: parseRoles(teamId ?? ''),
  }
}

/** A status that Better Auth does not know offers nothing any more. */
function toStatus(stored: string): InvitationStatus {
  return invitationStatuses.find((status) => status === stored.toUpperCase()) ?? 'CANCELED'
}
