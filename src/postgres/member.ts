import {
  type Member,
  type MemberFilter,
  type MemberOrder,
  type MemberRepository,
  type MembershipFilter,
  type MembershipOrder,
  type MemberWithOrganization,
  type MemberWithUser,
  parseRoles,
} from '../domain/member.ts'
import { type GrantingRole, pairKey } from '../domain/permission.ts'
import { Prisma } from './client.ts'
import { additional, Columns, from, given, type Row } from './columns.ts'
import { activeUser, allOf, holdsGrantingRole, holdsRole } from './conditions.ts'
import { type Db, joining, lookUp } from './db.ts'
import { by, byText } from './join.ts'
import { listsOf } from './list.ts'
import { byInstant, byText as orderedByText } from './order.ts'
import { organization } from './organization.ts'
import { type List, parentId, storedValues } from './rows.ts'
import { findIds, matches } from './search/search.ts'
import type { TableInQuery, Tables } from './tables.ts'
import { summary } from './user.ts'

const member = {
  id: 'same',
  roles: from('role', (role: string | null) => parseRoles(role ?? '')),
  createdAt: 'same',
  additional,
} as const

const memberWithUser = new Columns<MemberWithUser>(
  'Member',
  'm',
  { ...member, organizationId: 'same', userId: given('u.id'), user: summary },
  'views',
)
const membership = new Columns<MemberWithOrganization>('Member', 'm', {
  ...member,
  organizationId: given('o.id'),
  userId: 'same',
  organization,
})

/** By hand, because members are read with most requests, and with what is at their ends. */
export function createMemberRepository(db: Db): MemberRepository {
  const joined = joining(db, 'members')
  const members = listsOf(db, joined, memberWithUser, ofOrganizations)
  const memberships = listsOf(db, joined, membership, ofUsers)
  return {
    findByIds: joined(by('id'), (ids) =>
      lookUp(db, memberWithUser, 'id', ids, { join: users(db.tables) }),
    ),
    findByPairs: joined(byText<Pair, Pair>(pairKey, pairKey), (pairs) => findByPairs(db, pairs)),
    listByOrganizationIds: members.list,
    countByOrganizationIds: members.count,
    listByUserIds: memberships.list,
    countByUserIds: memberships.count,
  }
}

type Pair = Pick<Member, 'userId' | 'organizationId'>

/** Joins those who the members are. */
function users(tables: Tables): Prisma.Sql {
  const u = tables.as('User', 'u')
  return Prisma.sql`JOIN ${u.from} ON ${u.equals('id', tables.as('Member', 'm'), 'userId')}`
}

async function findByPairs({ read, tables }: Db, pairs: readonly Pair[]) {
  const m = tables.as('Member', 'm')
  const asked = pairs.filter(
    (pair) => m.fits('userId', pair.userId) && m.fits('organizationId', pair.organizationId),
  )
  const userIds = asked.map((pair) => pair.userId)
  const organizationIds = asked.map((pair) => pair.organizationId)
  const rows = await read<Row>(Prisma.sql`
    SELECT DISTINCT ON (${m.column('userId')}, ${m.column('organizationId')})
      ${memberWithUser.select(tables)}
    FROM ${m.from} ${users(tables)}
    WHERE (${m.column('userId')}, ${m.column('organizationId')}) IN (
      SELECT * FROM unnest(${m.array('userId', userIds)},
        ${m.array('organizationId', organizationIds)}))
    ORDER BY ${m.column('userId')}, ${m.column('organizationId')},
      ${m.column('createdAt')}, ${m.column('id')}`)
  return rows.map(memberWithUser.read)
}

function ofOrganizations(
  db: Db,
  filter: MemberFilter,
  order: MemberOrder = { field: 'CREATED_AT', direction: 'ASC' },
): List {
  const { tables } = db
  const { userIds, search, grantedBy } = filter
  const m = tables.as('Member', 'm')
  const u = tables.as('User', 'u')
  const joined = byInstant(m, 'createdAt')
  const stored = tables.as('Member', 'stored')
  const byRole =
    (filter.roles || grantedBy) && !userIds
      ? storedValues(stored, 'organizationId', 'role', joined, (role) =>
          allOf(held(filter, role, parentId)),
        )
      : undefined
  const byUser = userIds && {
    field: 'userId',
    values: Prisma.sql`unnest(${m.array('userId', userIds)})`,
  }
  return {
    table: m,
    parent: 'organizationId',
    key: {
      CREATED_AT: joined,
      USER_NAME: orderedByText(u, 'name'),
      USER_EMAIL: orderedByText(u, 'email'),
      ROLE: orderedByText(m, 'role'),
    }[order.field],
    direction: order.direction,
    beside: { table: u, by: 'userId' },
    narrowed: byUser ?? byRole,
    gathered: userIds !== undefined || order.field !== 'CREATED_AT',
    where: allOf([
      ...(byRole ? [] : held(filter, m.column('role'), m.column('organizationId'))),
      ...(grantedBy ? undisputed(tables, grantedBy) : []),
      search && isUser(m, u, matches(tables, u, search)),
    ]),
    otherwise:
      search && !userIds
        ? async () => {
            const found = await findIds(db, search)
            return found && ofOrganizations(db, { ...filter, userIds: found }, order)
          }
        : undefined,
  }
}

function ofUsers(
  { tables }: Db,
  filter: MembershipFilter,
  { field, direction }: MembershipOrder = { field: 'JOINED_AT', direction: 'ASC' },
): List {
  const { scope, grantedBy } = filter
  const m = tables.as('Member', 'm')
  const o = tables.as('Organization', 'o')
  return {
    table: m,
    parent: 'userId',
    key: field === 'NAME' ? orderedByText(o, 'name') : byInstant(m, 'createdAt'),
    direction,
    gathered: field === 'NAME',
    beside: { table: o, by: 'organizationId' },
    within: allOf([scope === 'none' && Prisma.sql`FALSE`]),
    where: allOf([
      typeof scope === 'object' &&
        ('sharedWith' in scope
          ? shared(tables, scope.sharedWith)
          : Prisma.sql`${m.column('organizationId')} = ANY(${m.array('organizationId', [scope.organizationId])})`),
      ...held(filter, m.column('role'), m.column('organizationId')),
      ...(grantedBy ? undisputed(tables, grantedBy) : []),
    ]),
  }
}

/** What the filter asks of the roles of a membership in an organization. */
function held(
  { roles, grantedBy }: Pick<MemberFilter, 'roles' | 'grantedBy'>,
  role: Prisma.Sql,
  organizationId: Prisma.Sql,
) {
  return [
    roles && holdsRole(role, roles),
    grantedBy && holdsGrantingRole(role, organizationId, grantedBy),
  ]
}

/** That a permission which a membership grants is the member's, as a permission check answers it. */
function undisputed(tables: Tables, granting: readonly GrantingRole[]): readonly Prisma.Sql[] {
  const m = tables.as('Member', 'm')
  const twin = tables.as('Member', 'twin')
  const holder = tables.as('User', 'holder')
  return [
    // OFFSET 0 has it looked up for each row: else PostgreSQL compares every two members of the organization.
    Prisma.sql`NOT EXISTS (SELECT FROM ${twin.from}
        WHERE ${twin.column('userId')} = ${m.column('userId')}
          AND ${twin.column('organizationId')} = ${m.column('organizationId')}
          AND ${twin.column('id')} <> ${m.column('id')}
          AND NOT ${holdsGrantingRole(twin.column('role'), twin.column('organizationId'), granting)}
        OFFSET 0)`,
    isUser(m, holder, activeUser(tables, holder)),
  ]
}

/** That the user of a membership is one of whom this is so. */
function isUser(m: TableInQuery, user: TableInQuery, so: Prisma.Sql): Prisma.Sql {
  return Prisma.sql`EXISTS (SELECT FROM ${user.from}
      WHERE ${user.equals('id', m, 'userId')} AND ${so} OFFSET 0)`
}

function shared(tables: Tables, sharedWith: string): Prisma.Sql {
  const m = tables.as('Member', 'm')
  const mine = tables.as('Member', 'mine')
  return Prisma.sql`EXISTS (SELECT FROM ${mine.from}
      WHERE ${mine.column('organizationId')} = ${m.column('organizationId')}
        AND ${mine.column('userId')} = ANY(${mine.array('userId', [sharedWith])}) OFFSET 0)`
}
