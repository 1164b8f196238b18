import {
  type Invitation,
  type InvitationFilter,
  type InvitationRepository,
  type InvitationStatus,
  invitationStatuses,
} from '../domain/invitation.ts'
import { parseRoles } from '../domain/member.ts'
import { Prisma } from './client.ts'
import { Columns, columnOf, from, type Row } from './columns.ts'
import { allOf, holdsRole } from './conditions.ts'
import { type Db, joining } from './db.ts'
import { by } from './join.ts'
import { listsOf } from './list.ts'
import { byCreation } from './order.ts'
import { type List, storedValues } from './rows.ts'
import type { Tables } from './tables.ts'

const names = (stored: string | null) => parseRoles(stored ?? '')

const invitation = new Columns<Invitation>('Invitation', 'i', {
  id: 'same',
  organizationId: 'same',
  organizationName: columnOf<string>('Organization', 'o', 'name'),
  email: 'same',
  roles: from('role', names),
  status: from('status', toStatus),
  teamIds: from('teamId', names),
  inviterId: 'same',
  expiresAt: 'same',
  createdAt: 'same',
})

/** Whose list an invitation is in: the organization's, or that of the address it was sent to. */
type Parent = 'organizationId' | 'email'

/** By hand, because pages of invitations are narrowed by roles, and bring the names of organizations. */
export function createInvitationRepository(db: Db): InvitationRepository {
  const joined = joining(db, 'invitations')
  const listsBy = (parent: Parent) =>
    listsOf(db, joined, invitation, ({ tables }, filter: InvitationFilter) =>
      listOf(tables, parent, filter),
    )
  const ofOrganizations = listsBy('organizationId')
  const toEmails = listsBy('email')
  return {
    findByIds: joined(by('id'), (ids, filter) => findByIds(db, ids, filter)),
    listByOrganizationIds: ofOrganizations.list,
    countByOrganizationIds: ofOrganizations.count,
    listByEmails: toEmails.list,
    countByEmails: toEmails.count,
  }
}

async function findByIds(
  { read, tables }: Db,
  ids: readonly string[],
  { onlyForHolder }: Pick<InvitationFilter, 'onlyForHolder'>,
): Promise<readonly Invitation[]> {
  const i = tables.as('Invitation', 'i')
  const o = tables.as('Organization', 'o')
  const rows = await read<Row>(Prisma.sql`
    SELECT ${invitation.select(tables)} FROM ${i.from}
    JOIN ${o.from} ON ${o.equals('id', i, 'organizationId')}
    WHERE ${i.column('id')} = ANY(${i.array('id', ids)})
      ${allOf([onlyForHolder && isFor(tables, onlyForHolder)])}`)
  return rows.map(invitation.read)
}

function listOf(tables: Tables, parent: Parent, { status, onlyForHolder }: InvitationFilter): List {
  const i = tables.as('Invitation', 'i')
  const hasStatus = (value: Prisma.Sql) =>
    status && Prisma.sql`${value}::text = ${status.toLowerCase()}`
  const stored = tables.as('Invitation', 'stored')
  const narrowed =
    parent === 'organizationId'
      ? storedValues(stored, parent, 'status', byCreation(i), (value) => allOf([hasStatus(value)]))
      : undefined
  return {
    table: i,
    parent,
    key: byCreation(i),
    beside: { table: tables.as('Organization', 'o'), by: 'organizationId' },
    narrowed,
    gathered: parent === 'email',
    where: allOf([
      !narrowed && hasStatus(i.column('status')),
      onlyForHolder && isFor(tables, onlyForHolder),
    ]),
  }
}

/** That an invitation does not offer the role, or that the user holds it. */
function isFor(tables: Tables, holder: NonNullable<InvitationFilter['onlyForHolder']>): Prisma.Sql {
  const i = tables.as('Invitation', 'i')
  return Prisma.sql`(NOT ${holdsRole(i.column('role'), [holder.role])}
            OR ${holds(tables, holder)})`
}

/** Every row counts where Better Auth left several for one person in one organization. */
function holds(
  tables: Tables,
  { role, userId }: NonNullable<InvitationFilter['onlyForHolder']>,
): Prisma.Sql {
  const i = tables.as('Invitation', 'i')
  const m = tables.as('Member', 'm')
  return Prisma.sql`COALESCE((
      SELECT bool_and(${holdsRole(m.column('role'), [role])}) FROM ${m.from}
      WHERE ${m.equals('organizationId', i, 'organizationId')}
        AND ${m.column('userId')} = ANY(${m.array('userId', [userId])})), FALSE)`
}

/** A status that Better Auth does not know offers nothing any more. */
function toStatus(stored: string | null): InvitationStatus {
  return invitationStatuses.find((status) => status === stored?.toUpperCase()) ?? 'CANCELED'
}
