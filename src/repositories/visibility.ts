import type { Sight, VisibilityRepository } from '../domain/visibility.ts'
import { activeUser } from './active-user.ts'
import { type Database, Prisma } from './client.ts'
import { rowOf, type Tables } from './tables.ts'
import { toUser, userFields } from './user.ts'

export class PrismaVisibilityRepository implements VisibilityRepository {
  readonly #database: Database
  readonly #tables: Tables

  constructor(database: Database, tables: Tables) {
    this.#database = database
    this.#tables = tables
  }

  async look(
    userId: string,
    at: { readonly organizationIds: readonly string[]; readonly userIds: readonly string[] },
  ): Promise<Sight | null> {
    const user = this.#tables.as('User', 'u')
    const [row] = await this.#database.read<Row>(Prisma.sql`
      SELECT ${user.selectEntity(userFields)},
        ${this.#organizations(at.organizationIds)} AS "organizationIds",
        ${this.#coMembers(at.userIds)} AS "coMemberIds"
      FROM ${user.from}
      WHERE ${user.column('id')} = ANY(${user.array('id', [userId])})
        AND ${activeUser(this.#tables, user)}`)
    return row
      ? {
          self: toUser(rowOf(row, 'u')),
          organizationIds: new Set(row.organizationIds),
          coMemberIds: new Set(row.coMemberIds),
        }
      : null
  }

  #organizations(ids: readonly string[]): Prisma.Sql {
    if (ids.length === 0 || !this.#tables.has('Member')) return nothing
    const user = this.#tables.as('User', 'u')
    const mine = this.#tables.as('Member', 'mine')
    return Prisma.sql`ARRAY(
      SELECT DISTINCT ${mine.column('organizationId')}::text FROM ${mine.from}
      WHERE ${mine.column('userId')} = ${user.column('id')}
        AND ${mine.column('organizationId')} = ANY(${mine.array('organizationId', ids)}))`
  }

  #coMembers(ids: readonly string[]): Prisma.Sql {
    if (ids.length === 0 || !this.#tables.has('Member')) return nothing
    const user = this.#tables.as('User', 'u')
    const mine = this.#tables.as('Member', 'mine')
    const theirs = this.#tables.as('Member', 'theirs')
    // From the users asked about to the caller: the other way leads through every member of the caller's organizations.
    return Prisma.sql`ARRAY(
      SELECT asked.id::text FROM unnest(${theirs.array('userId', ids)}) AS asked (id)
      CROSS JOIN LATERAL (
        SELECT FROM ${theirs.from}
        WHERE ${theirs.column('userId')} = asked.id
          AND EXISTS (SELECT FROM ${mine.from}
            WHERE ${mine.column('userId')} = ${user.column('id')}
              AND ${mine.column('organizationId')} = ${theirs.column('organizationId')})
        LIMIT 1) AS shared)`
  }
}

interface Row extends Record<string, unknown> {
  readonly organizationIds: readonly string[]
  readonly coMemberIds: readonly string[]
}

const nothing = Prisma.sql`ARRAY[]::text[]`
