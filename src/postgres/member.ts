import {
  type Member,
  type MemberFilter,
  type MemberOrder,
  type MemberRepository,
  type MembershipFilter,
  type MemberWithOrganization,
  type MemberWithUser,
  parseRoles,
} from '../domain/member.ts'
import { type GrantingRole, pairKey } from '../domain/permission.ts'
import { Prisma } from './client.ts'
import { additional, Columns, from, type Row } from './columns.ts'
import { activeUser, allOf, holdsGrantingRole, holdsRole, matches } from './conditions.ts'
import { type Db, joining, lookUp } from './db.ts'
import { by, byText } from './join.ts'
import { byInstant, type List, listsOf, byText as orderedByText } from './list.ts'
import { organization } from './organization.ts'
import type { Tables } from './tables.ts'
import { summary } from './user.ts'

const member = {
  id: 'same',
  organizationId: 'same',
  userId: 'same',
  roles: from('role', (role: string | null) => parseRoles(role ?? '')),
  createdAt: 'same',
  additional,
} as const

const memberWithUser = new Columns<MemberWithUser>('Member', 'm', { ...member, user: summary })
const membership = new Columns<MemberWithOrganization>('Member', 'm', { ...member, organization })

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
  return Prisma.sql`JOIN ${u.from} ON ${u.column('id')} = ${tables.as('Member', 'm').column('userId')}`
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
  tables: Tables,
  { roles, grantedBy, userIds, search }: MemberFilter,
  { field, direction }: MemberOrder = { field: 'CREATED_AT', direction: 'ASC' },
): List {
  const m = tables.as('Member', 'm')
  const u = tables.as('User', 'u')
  return {
    table: m,
    parent: 'organizationId',
    key: field === 'USER_NAME' ? orderedByText(u, 'name') : byInstant(m, 'createdAt'),
    direction,
    join: users(tables),
    where: allOf([
      roles && holdsRole(m.column('role'), roles),
      grantedBy && granted(tables, grantedBy),
      userIds && Prisma.sql`${m.column('userId')} = ANY(${m.array('userId', userIds)})`,
      search && matches(tables, u, search),
    ]),
  }
}

function ofUsers(tables: Tables, { scope, roles, grantedBy }: MembershipFilter): List {
  const m = tables.as('Member', 'm')
  const o = tables.as('Organization', 'o')
  return {
    table: m,
    parent: 'userId',
    key: byInstant(m, 'createdAt'),
    join: Prisma.sql`JOIN ${o.from}
        ON ${o.column('id')} = ${m.column('organizationId')}`,
    where: allOf([
      scope === 'none' && Prisma.sql`FALSE`,
      typeof scope === 'object' && shared(tables, scope.sharedWith),
      roles && holdsRole(m.column('role'), roles),
      grantedBy && granted(tables, grantedBy),
    ]),
  }
}

/** That the permission which these roles grant is the member's, as a permission check answers it. */
function granted(tables: Tables, granting: readonly GrantingRole[]): Prisma.Sql {
  const m = tables.as('Member', 'm')
  const twin = tables.as('Member', 'twin')
  const holder = tables.as('User', 'holder')
  return Prisma.sql`${holdsGrantingRole(m, granting)}
      AND NOT EXISTS (SELECT FROM ${twin.from}
        WHERE ${twin.column('userId')} = ${m.column('userId')}
          AND ${twin.column('organizationId')} = ${m.column('organizationId')}
          AND ${twin.column('id')} <> ${m.column('id')}
          AND NOT ${holdsGrantingRole(twin, granting)})
      AND EXISTS (SELECT FROM ${holder.from}
        WHERE ${holder.column('id')} = ${m.column('userId')}
          AND ${activeUser(tables, holder)})`
}

function shared(tables: Tables, sharedWith: string): Prisma.Sql {
  const m = tables.as('Member', 'm')
  const mine = tables.as('Member', 'mine')
  return Prisma.sql`EXISTS (SELECT FROM ${mine.from}
      WHERE ${mine.column('organizationId')} = ${m.column('organizationId')}
        AND ${mine.column('userId')} = ANY(${mine.array('userId', [sharedWith])}))`
}
