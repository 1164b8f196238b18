import { Prisma } from './client.ts'
import type { TableInQuery } from './tables.ts'

type Sql = Prisma.Sql

/** What lists are ordered by. */
export interface Key {
  /** Never NULL, and as an index holds it. */
  readonly sql: Sql
  /**
   * As text, of rows that were selected as `item` with it as "key": an instant as PostgreSQL writes it in UTC, which takes
   * it a fifth of what `to_char` takes, or the text itself.
   */
  readonly text: Sql
  /** That text as cursors have it: an instant in RFC 3339, exact to the microsecond. */
  readonly shown: (text: string) => string
  /** The column whose instant the text is. */
  readonly instant?: string | undefined
  /** That text, bound, as what the key is compared with. */
  parse(text: string): Sql
}

/** Ordered by text, as the database sorts it; also what is an enumeration, which has an order of its own. */
export function byText(table: TableInQuery, field: string): Key {
  const isEnum = table.real(field).type === 'enum'
  const column = isEnum ? Prisma.sql`${table.column(field)}::text` : table.column(field)
  const sql = table.mayBeNull(field) ? Prisma.sql`COALESCE(${column}, '')` : column
  const parse = (text: string) => Prisma.sql`${text}::text${table.cast(field)}`
  return { sql, text: SELECTED, shown: (text) => text, parse }
}

/**
 * Ordered by an instant. Rows that have none come first. Of a column without a time zone, cursors hold what it shows, as
 * if it were UTC: in every zone that leads back to the same row.
 */
export function byInstant(table: TableInQuery, field: string): Key {
  const column = table.column(field)
  const hasZone = table.real(field).type === 'timestamptz'
  const stored = (timestamptz: Sql) => (hasZone ? timestamptz : inUtc(timestamptz))
  const parse = (text: string) => stored(Prisma.sql`${text}::text::timestamptz`)
  const instant = table.isInUtc(field) ? field : undefined
  const sql = table.mayBeNull(field) ? Prisma.sql`COALESCE(${column}, ${stored(epoch)})` : column
  return { sql, text: hasZone ? OF_TIMESTAMPTZ : OF_TIMESTAMP, shown: rfc3339, instant, parse }
}

/** Ordered by when rows were made, where the database has a column for that. */
export function byCreation(table: TableInQuery): Key {
  if (table.has('createdAt')) return byInstant(table, 'createdAt')
  return {
    sql: epoch,
    text: OF_TIMESTAMPTZ,
    shown: rfc3339,
    parse: (text) => Prisma.sql`${text}::text::timestamptz`,
  }
}

const epoch = Prisma.sql`'epoch'::timestamptz`

function inUtc(timestamptz: Sql): Sql {
  return Prisma.sql`(${timestamptz} AT TIME ZONE 'UTC')`
}

const SELECTED = Prisma.raw('item."key"')
const OF_TIMESTAMPTZ = Prisma.sql`${inUtc(SELECTED)}::text`
const OF_TIMESTAMP = Prisma.sql`${SELECTED}::text`

function rfc3339(text: string): string {
  const [seconds = '', fraction = ''] = text.split('.')
  return `${seconds.replace(' ', 'T')}.${fraction.padEnd(6, '0')}Z`
}
