import { Prisma } from './client.ts'
import type { TableInQuery } from './tables.ts'

type Sql = Prisma.Sql

/** What lists are ordered by. */
export interface Key {
  /** Never NULL, and as an index holds it. */
  readonly sql: Sql
  /** As text: an instant in RFC 3339, exact to the microsecond, or the text itself. */
  readonly text: Sql
  /** The column whose instant the text is. */
  readonly instant?: string | undefined
  /** That text, bound, as what the key is compared with. */
  parse(text: string): Sql
}

/** Ordered by text, as the database sorts it. */
export function byText(table: TableInQuery, field: string): Key {
  const column = table.column(field)
  const sql = table.mayBeNull(field) ? Prisma.sql`COALESCE(${column}, '')` : column
  return { sql, text: sql, parse: (text) => Prisma.sql`${text}::text${table.cast(field)}` }
}

/**
 * Ordered by an instant. Rows that have none come first. Of a column without a time zone, cursors hold what it shows, as
 * if it were UTC: in every zone that leads back to the same row.
 */
export function byInstant(table: TableInQuery, field: string): Key {
  const column = table.column(field)
  const hasZone = table.real(field).type === 'timestamptz'
  const stored = (timestamptz: Sql) => (hasZone ? timestamptz : inUtc(timestamptz))
  const shown = hasZone ? inUtc(column) : column
  const parse = (text: string) => stored(Prisma.sql`${text}::text::timestamptz`)
  const instant = table.isInUtc(field) ? field : undefined
  if (!table.mayBeNull(field)) return { sql: column, text: rfc3339(shown), instant, parse }
  return {
    instant,
    sql: Prisma.sql`COALESCE(${column}, ${stored(epoch)})`,
    text: rfc3339(Prisma.sql`COALESCE(${shown}, ${inUtc(epoch)})`),
    parse,
  }
}

/** Ordered by when rows were made, where the database has a column for that. */
export function byCreation(table: TableInQuery): Key {
  if (table.has('createdAt')) return byInstant(table, 'createdAt')
  return {
    sql: epoch,
    text: rfc3339(inUtc(epoch)),
    parse: (text) => Prisma.sql`${text}::text::timestamptz`,
  }
}

const epoch = Prisma.sql`'epoch'::timestamptz`

function inUtc(timestamptz: Sql): Sql {
  return Prisma.sql`(${timestamptz} AT TIME ZONE 'UTC')`
}

function rfc3339(utc: Sql): Sql {
  return Prisma.sql`to_char(${utc}, 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')`
}
