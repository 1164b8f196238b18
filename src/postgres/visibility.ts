import type { Sight, SightQuestion, VisibilityRepository } from '../domain/visibility.ts'
import { activeUser } from './active-user.ts'
import { type Database, Prisma } from './client.ts'
import type { Tables } from './tables.ts'
import { readUser, userFields } from './user.ts'

export class PrismaVisibilityRepository implements VisibilityRepository {
  readonly #database: Database
  readonly #tables: Tables

  constructor(database: Database, tables: Tables) {
    this.#database = database
    this.#tables = tables
  }

  async look(questions: readonly SightQuestion[]): Promise<readonly (Sight | null)[]> {
    const user = this.#tables.as('User', 'u')
    const asked = questions.map(({ userId, organizationIds, userIds }, place) => ({
      place,
      user_id: userId,
      organization_ids: this.#tables.fitting('Member', 'organizationId', organizationIds),
      user_ids: this.#tables.fitting('Member', 'userId', userIds),
    }))
    // One look-up for each question: PostgreSQL takes them for a hundred, and would rather read all users.
    const answerable = asked.filter(({ user_id }) => user.fits('id', user_id))
    const rows = await this.#database.read<Row>(Prisma.sql`
      SELECT asked.place, seen.*
      FROM json_to_recordset(${JSON.stringify(answerable)}::text::json)
        AS asked (place integer, user_id text, organization_ids text[], user_ids text[])
      CROSS JOIN LATERAL (
        SELECT ${user.selectEntity(userFields)},
          ${this.#organizations()} AS "organizationIds", ${this.#coMembers()} AS "coMemberIds"
        FROM ${user.from}
        WHERE ${user.column('id')} = asked.user_id${user.cast('id')}
          AND ${activeUser(this.#tables, user)}
        LIMIT 1) AS seen`)
    const sights = new Map(rows.map((row) => [row.place, toSight(row)]))
    return questions.map((_, place) => sights.get(place) ?? null)
  }

  #organizations(): Prisma.Sql {
    if (!this.#tables.has('Member')) return nothing
    const user = this.#tables.as('User', 'u')
    const mine = this.#tables.as('Member', 'mine')
    return Prisma.sql`CASE WHEN cardinality(asked.organization_ids) > 0 THEN ARRAY(
      SELECT DISTINCT ${mine.column('organizationId')}::text FROM ${mine.from}
      WHERE ${mine.column('userId')} = ${user.column('id')}
        AND ${mine.column('organizationId')}
          = ANY(asked.organization_ids${mine.cast('organizationId')}[])) END`
  }

  #coMembers(): Prisma.Sql {
    if (!this.#tables.has('Member')) return nothing
    const user = this.#tables.as('User', 'u')
    const mine = this.#tables.as('Member', 'mine')
    const theirs = this.#tables.as('Member', 'theirs')
    // From the users asked about to the caller: the other way leads through every member of the caller's organizations.
    return Prisma.sql`CASE WHEN cardinality(asked.user_ids) > 0 THEN ARRAY(
      SELECT other.id::text FROM unnest(asked.user_ids${theirs.cast('userId')}[]) AS other (id)
      CROSS JOIN LATERAL (
        SELECT FROM ${theirs.from}
        WHERE ${theirs.column('userId')} = other.id
          AND EXISTS (SELECT FROM ${mine.from}
            WHERE ${mine.column('userId')} = ${user.column('id')}
              AND ${mine.column('organizationId')} = ${theirs.column('organizationId')})
        LIMIT 1) AS shared) END`
  }
}

interface Row extends Record<string, unknown> {
  /** Of the question. */
  readonly place: number
  /** `null`: nothing was asked. */
  readonly organizationIds: readonly string[] | null
  readonly coMemberIds: readonly string[] | null
}

function toSight(row: Row): Sight {
  return {
    self: readUser(row),
    organizationIds: new Set(row.organizationIds),
    coMemberIds: new Set(row.coMemberIds),
  }
}

const nothing = Prisma.sql`NULL::text[]`
