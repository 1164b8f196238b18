import pg from 'pg'

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
  // A wall clock in UTC, whatever the zone of this process.
  [TIMESTAMP, (text) => new Date(`${text.replace(' ', 'T')}Z`)],
])
