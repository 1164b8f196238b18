import {
  type Member,
  type MemberRepository,
  type MembershipScope,
  type MemberWithOrganization,
  type MemberWithUser,
  parseRoles,
} from '../domain/member.ts'
import { emptyPage, type Page, type PageRequest } from '../domain/page.ts'
import { type Database, Prisma } from './client.ts'
import { keyset, toPage } from './keyset.ts'
import { organizationFields, toOrganization } from './organization.ts'
import { rowOf, type Tables } from './tables.ts'
import { toUser, userFields } from './user.ts'

const memberFields = ['id', 'organizationId', 'userId', 'role', 'createdAt'] as const

/** The side of a membership that a list hangs on. */
type Parent = 'organizationId' | 'userId'

export class PrismaMemberRepository implements MemberRepository {
  readonly #database: Database
  readonly #tables: Tables

  constructor(database: Database, tables: Tables) {
    this.#database = database
    this.#tables = tables
  }

  async findByPairs(
    pairs: readonly { readonly userId: string; readonly organizationId: string }[],
  ): Promise<readonly Member[]> {
    const member = this.#tables.as('Member', 'm')
    const asked = pairs.filter(
      (pair) =>
        member.fits('userId', pair.userId) && member.fits('organizationId', pair.organizationId),
    )
    const rows = await this.#database.read<Row>(Prisma.sql`
      SELECT DISTINCT ON (${member.column('userId')}, ${member.column('organizationId')})
        ${member.select(memberFields)}
      FROM ${member.from}
      WHERE (${member.column('userId')}, ${member.column('organizationId')}) IN (
        SELECT * FROM unnest(${member.array(
          'userId',
          asked.map((pair) => pair.userId),
        )},
          ${member.array(
            'organizationId',
            asked.map((pair) => pair.organizationId),
          )}))
      ORDER BY ${member.column('userId')}, ${member.column('organizationId')},
        ${member.column('createdAt')}, ${member.column('id')}`)
    return rows.map((row) => toMember(rowOf(row, 'm')))
  }

  listByOrganizationIds(
    organizationIds: readonly string[],
    page: PageRequest,
  ): Promise<ReadonlyMap<string, Page<MemberWithUser>>> {
    const user = this.#tables.as('User', 'other')
    const columns = user.select(this.#tables.present('User', userFields))
    return this.#list('organizationId', organizationIds, page, 'all', {
      columns,
      join: Prisma.sql`JOIN ${user.from} ON ${user.column('id')} = ${this.#member.column('userId')}`,
      toItem: (row) => ({
        member: toMember(rowOf(row, 'm')),
        user: toUser(rowOf(row, 'other')),
        position: { value: row.value, id: row['m.id'] },
      }),
    })
  }

  listByUserIds(
    userIds: readonly string[],
    page: PageRequest,
    scope: MembershipScope,
  ): Promise<ReadonlyMap<string, Page<MemberWithOrganization>>> {
    const organization = this.#tables.as('Organization', 'other')
    return this.#list('userId', userIds, page, scope, {
      columns: organization.select(organizationFields),
      join: Prisma.sql`JOIN ${organization.from}
        ON ${organization.column('id')} = ${this.#member.column('organizationId')}`,
      toItem: (row) => ({
        member: toMember(rowOf(row, 'm')),
        organization: toOrganization(rowOf(row, 'other') as Parameters<typeof toOrganization>[0]),
        position: { value: row.value, id: row['m.id'] },
      }),
    })
  }

  countByOrganizationIds(ids: readonly string[]): Promise<ReadonlyMap<string, number>> {
    return this.#count('organizationId', ids, 'all')
  }

  countByUserIds(
    ids: readonly string[],
    scope: MembershipScope,
  ): Promise<ReadonlyMap<string, number>> {
    return this.#count('userId', ids, scope)
  }

  get #member() {
    return this.#tables.as('Member', 'm')
  }

  /** The same page of every parent in one statement: a lateral read stops each parent's list at the page's size. */
  async #list<Item>(
    parent: Parent,
    parentIds: readonly string[],
    page: PageRequest,
    scope: MembershipScope,
    other: {
      readonly columns: Prisma.Sql
      readonly join: Prisma.Sql
      readonly toItem: (row: PageRow) => Item
    },
  ): Promise<ReadonlyMap<string, Page<Item>>> {
    const member = this.#member
    const { value, within, limit, beyondStart, beyondEnd } = keyset(member, 'createdAt', page)
    const own = Prisma.sql`${member.column(parent)} = parent.id ${this.#shared(scope)}`
    const exists = (condition: Prisma.Sql | null) =>
      condition
        ? Prisma.sql`EXISTS (SELECT FROM ${member.from} WHERE ${own} AND ${condition})`
        : Prisma.sql`FALSE`
    const rows = await this.#database.read<PageRow>(Prisma.sql`
      SELECT parent.id::text AS parent, beyond.*, item.*
      FROM unnest(${member.array(parent, parentIds)}) AS parent (id)
      CROSS JOIN LATERAL (
        SELECT ${exists(beyondStart)} AS "beyondStart", ${exists(beyondEnd)} AS "beyondEnd") AS beyond
      LEFT JOIN LATERAL (
        SELECT ${member.select(memberFields)}, ${value} AS value, ${other.columns}
        FROM ${member.from} ${other.join}
        WHERE ${own} ${within} ${limit}) AS item ON TRUE
      ORDER BY item.value, item."m.id"`)
    const byParent = new Map<string, PageRow[]>(parentIds.map((id) => [id, []]))
    for (const row of rows) byParent.get(row.parent)?.push(row)
    return new Map([...byParent].map(([id, own]) => [id, pageOf(own, page, other.toItem)]))
  }

  async #count(
    parent: Parent,
    parentIds: readonly string[],
    scope: MembershipScope,
  ): Promise<ReadonlyMap<string, number>> {
    const member = this.#member
    const rows = await this.#database.read<{ parent: string; count: bigint }>(Prisma.sql`
      SELECT ${member.column(parent)}::text AS parent, count(*) AS count
      FROM ${member.from}
      WHERE ${member.column(parent)} = ANY(${member.array(parent, parentIds)}) ${this.#shared(scope)}
      GROUP BY ${member.column(parent)}`)
    const counts = new Map(rows.map((row) => [row.parent, Number(row.count)]))
    return new Map(parentIds.map((id) => [id, counts.get(id) ?? 0]))
  }

  /** Narrows memberships to organizations that one user belongs to as well; begins with AND, or is empty. */
  #shared(scope: MembershipScope): Prisma.Sql {
    if (scope === 'all') return Prisma.empty
    const mine = this.#tables.as('Member', 'mine')
    return Prisma.sql`AND EXISTS (SELECT FROM ${mine.from}
      WHERE ${mine.column('organizationId')} = ${this.#member.column('organizationId')}
        AND ${mine.column('userId')} = ANY(${mine.array('userId', [scope.sharedWith])}))`
  }
}

type Row = Record<string, unknown>
interface PageRow extends Row {
  readonly parent: string
  readonly beyondStart: boolean
  readonly beyondEnd: boolean
  readonly value: string
  readonly 'm.id': string
}

function pageOf<Item>(
  rows: readonly PageRow[],
  page: PageRequest,
  toItem: (row: PageRow) => Item,
): Page<Item> {
  const [first] = rows
  if (!first) return emptyPage
  // A parent with an empty page still has its one row, which says what lies beyond.
  const items = rows.filter((row) => row['m.id'] !== null).map(toItem)
  return toPage(items, page, { start: first.beyondStart, end: first.beyondEnd })
}

function toMember(row: Row): Member {
  const { role, ...rest } = row as { role: string } & Omit<Member, 'roles'>
  return { ...rest, roles: parseRoles(role) }
}
