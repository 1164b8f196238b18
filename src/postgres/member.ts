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
import type { CountsByParent, Listed, PageRequest, PagesByParent } from '../domain/page.ts'
import type { GrantingRole } from '../domain/permission.ts'
import { activeUser } from './active-user.ts'
import { type Database, Prisma } from './client.ts'
import { allOf, holdsGrantingRole, holdsRole, matches } from './conditions.ts'
import { byInstant, byText, countRows, type List, listPages } from './list.ts'
import { organizationFields, readOrganization } from './organization.ts'
import { entityReader, type Tables } from './tables.ts'
import { readSummary, summaryFields } from './user.ts'

const memberFields = ['id', 'organizationId', 'userId', 'role', 'createdAt'] as const

export class PrismaMemberRepository implements MemberRepository {
  readonly #database: Database
  readonly #tables: Tables

  constructor(database: Database, tables: Tables) {
    this.#database = database
    this.#tables = tables
  }

  async findByIds(ids: readonly string[]): Promise<readonly MemberWithUser[]> {
    const member = this.#tables.as('Member', 'm')
    const user = this.#tables.as('User', 'u')
    const rows = await this.#database.read<Row>(Prisma.sql`
      SELECT ${this.#columns}
      FROM ${member.from} JOIN ${user.from} ON ${user.column('id')} = ${member.column('userId')}
      WHERE ${member.column('id')} = ANY(${member.array('id', ids)})`)
    return rows.map(readMemberWithUser)
  }

  async findByPairs(
    pairs: readonly { readonly userId: string; readonly organizationId: string }[],
  ): Promise<readonly MemberWithUser[]> {
    const member = this.#tables.as('Member', 'm')
    const user = this.#tables.as('User', 'u')
    const asked = pairs.filter(
      (pair) =>
        member.fits('userId', pair.userId) && member.fits('organizationId', pair.organizationId),
    )
    const userIds = asked.map((pair) => pair.userId)
    const organizationIds = asked.map((pair) => pair.organizationId)
    const rows = await this.#database.read<Row>(Prisma.sql`
      SELECT DISTINCT ON (${member.column('userId')}, ${member.column('organizationId')})
        ${this.#columns}
      FROM ${member.from} JOIN ${user.from} ON ${user.column('id')} = ${member.column('userId')}
      WHERE (${member.column('userId')}, ${member.column('organizationId')}) IN (
        SELECT * FROM unnest(${member.array('userId', userIds)},
          ${member.array('organizationId', organizationIds)}))
      ORDER BY ${member.column('userId')}, ${member.column('organizationId')},
        ${member.column('createdAt')}, ${member.column('id')}`)
    return rows.map(readMemberWithUser)
  }

  listByOrganizationIds(
    organizationIds: readonly string[],
    page: PageRequest,
    filter: MemberFilter,
    order: MemberOrder,
  ): Promise<PagesByParent<Listed<MemberWithUser>>> {
    const list = this.#ofOrganization(filter, order)
    return listPages(this.#database, list, this.#columns, readMemberWithUser, organizationIds, page)
  }

  countByOrganizationIds(
    organizationIds: readonly string[],
    filter: MemberFilter,
  ): Promise<CountsByParent> {
    return countRows(this.#database, this.#ofOrganization(filter, oldestFirst), organizationIds)
  }

  listByUserIds(
    userIds: readonly string[],
    page: PageRequest,
    filter: MembershipFilter,
  ): Promise<PagesByParent<Listed<MemberWithOrganization>>> {
    const columns = Prisma.join([
      this.#tables.as('Member', 'm').selectEntity(memberFields),
      this.#tables.as('Organization', 'o').selectEntity(organizationFields),
    ])
    return listPages(this.#database, this.#ofUser(filter), columns, readMembership, userIds, page)
  }

  countByUserIds(userIds: readonly string[], filter: MembershipFilter): Promise<CountsByParent> {
    return countRows(this.#database, this.#ofUser(filter), userIds)
  }

  /** Of a member and the user beside them. */
  get #columns(): Prisma.Sql {
    return Prisma.join([
      this.#tables.as('Member', 'm').selectEntity(memberFields),
      this.#tables.as('User', 'u').select(summaryFields),
    ])
  }

  #ofOrganization(filter: MemberFilter, { field, direction }: MemberOrder): List {
    const member = this.#tables.as('Member', 'm')
    const user = this.#tables.as('User', 'u')
    const { roles, grantedBy, userIds, search } = filter
    return {
      table: member,
      parent: 'organizationId',
      key: field === 'USER_NAME' ? byText(user, 'name') : byInstant(member, 'createdAt'),
      direction,
      join: Prisma.sql`JOIN ${user.from} ON ${user.column('id')} = ${member.column('userId')}`,
      where: allOf([
        roles && holdsRole(member.column('role'), roles),
        grantedBy && this.#granted(grantedBy),
        userIds && Prisma.sql`${member.column('userId')} = ANY(${member.array('userId', userIds)})`,
        search && matches(this.#tables, user, search),
      ]),
    }
  }

  #ofUser({ scope, roles, grantedBy }: MembershipFilter): List {
    const member = this.#tables.as('Member', 'm')
    const organization = this.#tables.as('Organization', 'o')
    return {
      table: member,
      parent: 'userId',
      key: byInstant(member, 'createdAt'),
      direction: 'ASC',
      join: Prisma.sql`JOIN ${organization.from}
        ON ${organization.column('id')} = ${member.column('organizationId')}`,
      where: allOf([
        scope === 'none' && Prisma.sql`FALSE`,
        typeof scope === 'object' && this.#shared(scope.sharedWith),
        roles && holdsRole(member.column('role'), roles),
        grantedBy && this.#granted(grantedBy),
      ]),
    }
  }

  /** That the permission which these roles grant is the member's, as a permission check answers it. */
  #granted(granting: readonly GrantingRole[]): Prisma.Sql {
    const member = this.#tables.as('Member', 'm')
    const twin = this.#tables.as('Member', 'twin')
    const user = this.#tables.as('User', 'holder')
    return Prisma.sql`${holdsGrantingRole(member, granting)}
      AND NOT EXISTS (SELECT FROM ${twin.from}
        WHERE ${twin.column('userId')} = ${member.column('userId')}
          AND ${twin.column('organizationId')} = ${member.column('organizationId')}
          AND ${twin.column('id')} <> ${member.column('id')}
          AND NOT ${holdsGrantingRole(twin, granting)})
      AND EXISTS (SELECT FROM ${user.from}
        WHERE ${user.column('id')} = ${member.column('userId')}
          AND ${activeUser(this.#tables, user)})`
  }

  #shared(sharedWith: string): Prisma.Sql {
    const member = this.#tables.as('Member', 'm')
    const mine = this.#tables.as('Member', 'mine')
    return Prisma.sql`EXISTS (SELECT FROM ${mine.from}
      WHERE ${mine.column('organizationId')} = ${member.column('organizationId')}
        AND ${mine.column('userId')} = ANY(${mine.array('userId', [sharedWith])}))`
  }
}

type Row = Readonly<Record<string, unknown>>

const oldestFirst: MemberOrder = { field: 'CREATED_AT', direction: 'ASC' }

function readMemberWithUser(row: Row): MemberWithUser {
  return { ...readMember(row), user: readSummary(row) }
}

function readMembership(row: Row): MemberWithOrganization {
  return { ...readMember(row), organization: readOrganization(row) }
}

const readColumns = entityReader<Omit<Member, 'roles'> & { role: string }>('m', memberFields)

function readMember(row: Row): Member {
  const { id, organizationId, userId, role, createdAt, additional } = readColumns(row)
  return { id, organizationId, userId, roles: parseRoles(role), createdAt, additional }
}
