import { hash } from 'node:crypto'
import pg from 'pg'
import { Prisma } from './generated/client.ts'

/**
 * How values of PostgreSQL reach hand-written statements' rows, given to `pg` with each statement: `bigint` and `oid` as a
 * bigint, instants as a Date, JSON parsed, arrays as arrays, and what `pg` has no parser for as text.
 */
export const valueTypes: pg.CustomTypesConfig = {
  getTypeParser: (oid, format) =>
    (format === 'text' ? own.get(oid) : undefined) ?? pg.types.getTypeParser(oid, format),
}

const { INT8, OID, TIMESTAMP } = pg.types.builtins

const own = new Map<number, (text: string) => unknown>([
  [INT8, BigInt],
  [OID, BigInt],
  [TIMESTAMP, instantOf],
])

/** Of a timestamp as PostgreSQL writes it, by a clock in UTC, whatever the zone of this process. */
export function instantOf(text: string): Date {
  return new Date(`${text.replace(' ', 'T')}Z`)
}

/** Statements that a connection keeps prepared. Lists are bound as one array, so the gateway has far fewer texts. */
const MOST_NAMES = 200

/**
 * Begins a statement whose plan has to know its values, such as how a text begins: PostgreSQL plans what is prepared without
 * them once that looks as good. It is planned each time.
 */
export const PLANNED_BY_VALUES = '/* planned by its values */'

/**
 * A name for each text, to the first texts that come; others are not prepared. It is made of the text, so that one name
 * never means two texts, also where a pooler lets the connections of several gateways share a session.
 */
export function nameStatements() {
  const names = new Map<string, string>()
  return (text: string): string => {
    if (text.startsWith(PLANNED_BY_VALUES)) return ''
    const known = names.get(text)
    if (known !== undefined || names.size === MOST_NAMES) return known ?? ''
    const name = `identity_gateway_${hash('sha256', text, 'hex').slice(0, 32)}`
    names.set(text, name)
    return name
  }
}

/**
 * Values, bound as an array of a type such as `::text`, whose length PostgreSQL does not see when it plans. It expects ten of
 * them, would take a plan made for fewer to be better, and so plan a prepared statement each time it is sent: that takes
 * longer than to look up a few rows.
 */
export function arrayOf(values: readonly (string | null)[], type: Prisma.Sql): Prisma.Sql {
  return Prisma.sql`(SELECT ${values}${type}[])${type}[]`
}

/** The same of texts, whatever the columns hold that they are compared with. */
export function textsOf(values: readonly (string | null)[]): Prisma.Sql {
  return arrayOf(values, TEXT)
}

const TEXT = Prisma.raw('::text')
