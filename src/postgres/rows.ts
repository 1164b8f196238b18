import { GatewayError } from '../domain/errors.ts'
import type { Direction, Position } from '../domain/page.ts'
import { Prisma } from './client.ts'
import type { Key } from './order.ts'
import { textsOf } from './statements.ts'
import type { TableInQuery } from './tables.ts'

type Sql = Prisma.Sql

/** Which rows a list holds, in which order, and how PostgreSQL finds them without looking at many others. */
export interface List {
  readonly table: TableInQuery
  /** The column that says whose list a row is in; `null`: there is one list of all. */
  readonly parent: string | null
  /** What the list is ordered by, ties by id. */
  readonly key: Key
  /** `ASC` when absent. */
  readonly direction?: Direction
  /** What this column of a row leads to, by its id. A row that leads nowhere is not in the list. */
  readonly beside?: { readonly table: TableInQuery; readonly by: string }
  /** Conditions on the table that an index serves, each beginning with AND. */
  readonly within?: Sql
  /** Values one of which a column has: an index finds the rows of each. */
  readonly narrowed?: Narrowed | undefined
  /** Conditions on the table that no index serves: rows are looked at in order until enough hold them. */
  readonly where?: Sql
  /** That no index has the rows in order: all are gathered, and then sorted. */
  readonly gathered?: boolean
  /** What the index that serves `within` has rows ordered by: they are gathered so, because PostgreSQL may know no better. */
  readonly withinBy?: Key
  /** The same list by another index, for when a look at some rows was not enough; `null`: it leads to too many. */
  readonly otherwise?: (() => Promise<List | null>) | undefined
}

interface Narrowed {
  readonly field: string
  /** As rows of one column. */
  readonly values: Sql
  /** What the index has the rows of one value ordered by, ties by id; absent: there are few. */
  readonly key?: Key
}

/** Which part of a list is read, and at how many rows a statement may look for it. */
interface Part {
  /** Beside the place of each row, each with a comma after it. */
  readonly columns: Sql
  /** Conditions that cursors make, each beginning with AND. */
  readonly between: Sql
  readonly way: Sql
  readonly size: number
  readonly mostRows: number
}

/** The ids of parents, as rows of `parent (id)`, of which the rest of a statement speaks. */
export function parents({ table, parent }: List, ids: readonly string[]): Sql {
  const values = parent === null ? textsOf(ids) : table.array(parent, ids)
  return Prisma.sql`unnest(${values}) AS parent (id)`
}

/** Of these, the one whose rows are read. */
export const parentId = Prisma.sql`parent.id`

/**
 * The values that a column has in the rows of a parent, if they hold a condition. Each is found by one look into an index
 * on parent and column, however many rows have it; of columns that are no text there is none.
 */
export function storedValues(
  table: TableInQuery,
  parent: string | null,
  field: string,
  key: Key,
  holds: (value: Sql) => Sql,
): Narrowed | undefined {
  if (table.real(field).type !== 'text') return undefined
  const column = table.column(field)
  const own = parent === null ? Prisma.empty : Prisma.sql`AND ${table.column(parent)} = ${parentId}`
  const value = Prisma.sql`reached.value`
  const least = (beyond: Sql) =>
    Prisma.sql`SELECT ${column} FROM ${table.from} WHERE TRUE ${own} ${beyond} ORDER BY ${column} LIMIT 1`
  return {
    field,
    key,
    values: Prisma.sql`(WITH RECURSIVE reached (value) AS (
        (${least(Prisma.empty)}) UNION ALL
        SELECT (${least(Prisma.sql`AND ${column} > ${value}`)}) FROM reached WHERE ${value} IS NOT NULL)
      SELECT ${value} FROM reached WHERE ${value} IS NOT NULL ${holds(value)})`,
  }
}

/** What is before or after a cursor. */
export function compare({ table, key }: List, operator: string, { value, id }: Position): Sql {
  if (!table.fits('id', id)) throw new GatewayError('BAD_USER_INPUT', 'The cursor is not valid.')
  return Prisma.sql`AND (${key.sql}, ${table.column('id')}) ${Prisma.raw(operator)}
    (${key.parse(value)}, ${id}::text${table.cast('id')})`
}

/** Whether rows have to be looked at that the list may not hold, or may hold elsewhere. */
export function mayBeUnfinished({ where = Prisma.empty, gathered = false }: List): boolean {
  return gathered || where !== Prisma.empty
}

/**
 * The first rows of a part of one parent's list. Where that may be unfinished, a row that is `unfinished` stands for all
 * that were not looked at. PostgreSQL knows no parent's size but the usual one, so the plan is in how this is written.
 */
export function rowsOf(list: List, part: Part): Sql {
  const { way, size } = part
  if (!list.narrowed || list.gathered) return rowsInOrder(list, part)
  return Prisma.sql`SELECT item.* FROM ${list.narrowed.values} AS narrowed (value)
    CROSS JOIN LATERAL (${rowsInOrder(list, part)}) AS item
    ORDER BY item."key" ${way}, item."keyId" ${way} ${limit(list, size)}`
}

/**
 * How many rows one parent's list has among those looked at, and whether there are more to look at. Of those, nothing is
 * read that no condition asks for.
 */
export function countOf(list: List, mostRows: number): Sql {
  const { table, where = Prisma.empty } = list
  return Prisma.sql`SELECT LEAST(count(*) FILTER (WHERE ${leadsSomewhere(list)} ${where}), ${mostRows}::integer) AS count,
      count(*) > ${mostRows}::integer AS more
    FROM (${anyRows(list, mostRows)}) AS ${table.alias}`
}

function rowsInOrder(list: List, { columns, between, way, size, mostRows }: Part): Sql {
  const { table, key, where = Prisma.empty, narrowed, gathered } = list
  const id = table.column('id')
  const order = Prisma.sql`ORDER BY ${key.sql} ${way}, ${id} ${way}`
  const selected = Prisma.sql`${columns} ${key.sql} AS "key", ${id} AS "keyId"`
  const belonging = Prisma.sql`${belongs(list)} ${narrowed && !gathered ? isNarrowed(list) : Prisma.empty}`
  if (!mayBeUnfinished(list))
    return Prisma.sql`SELECT ${selected} FROM ${table.from} ${besideOf(list)}
      WHERE ${belonging} ${between} ${order} ${limit(list, size)}`
  const beyond = isBeyond(mostRows)
  const looked = gathered
    ? Prisma.sql`SELECT * FROM (
        SELECT *, row_number() OVER () AS "looked at",
          nth_value(TRUE, ${mostRows + 1}::integer) OVER (ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING) AS "too many"
        FROM (${anyRows(list, mostRows)}) AS found
      ) AS gathered WHERE "too many" IS NULL OR ${beyond}`
    : Prisma.sql`SELECT ${table.columns}, row_number() OVER (${order}) AS "looked at"
        FROM ${table.from} WHERE ${belonging} ${between} ${order} ${limit(list, mostRows + 1)}`
  const present = list.beside
    ? Prisma.sql`${list.beside.table.column('id')} IS NOT NULL`
    : Prisma.sql`TRUE`
  return Prisma.sql`SELECT ${selected}, ${beyond} AS unfinished
    FROM (${looked}) AS ${table.alias} ${list.beside ? Prisma.sql`LEFT ${besideOf(list)}` : Prisma.empty}
    WHERE (${beyond} OR (TRUE ${where})) AND (${beyond} OR (${present} ${gathered ? between : Prisma.empty}))
    ${order} ${limit(list, size)}`
}

/** In no order, and one more than may be looked at. */
function anyRows(list: List, mostRows: number): Sql {
  const { table, narrowed, withinBy } = list
  const rows = Prisma.sql`SELECT ${table.columns} FROM ${table.from} WHERE ${belongs(list)}`
  const most = limit(list, mostRows + 1)
  const ordered = ({ sql }: Key) => Prisma.sql`ORDER BY ${sql}, ${table.column('id')} ${most}`
  if (!narrowed) return Prisma.sql`${rows} ${withinBy ? ordered(withinBy) : most}`
  const each = narrowed.key ? ordered(narrowed.key) : Prisma.sql`OFFSET 0`
  return Prisma.sql`SELECT ${table.alias}.* FROM ${narrowed.values} AS narrowed (value)
    CROSS JOIN LATERAL (${rows} ${isNarrowed(list)} ${each}) AS ${table.alias} ${most}`
}

function belongs({ table, parent, within = Prisma.empty }: List): Sql {
  return parent === null
    ? Prisma.sql`TRUE ${within}`
    : Prisma.sql`${table.column(parent)} = ${parentId} ${within}`
}

function isNarrowed({ table, narrowed }: List): Sql {
  return narrowed ? Prisma.sql`AND ${table.column(narrowed.field)} = narrowed.value` : Prisma.empty
}

function besideOf({ table, beside }: List): Sql {
  if (!beside) return Prisma.empty
  return Prisma.sql`JOIN ${beside.table.from} ON ${beside.table.equals('id', table, beside.by)}`
}

/** As the join with what is beside says it, without that join where a foreign key does. */
function leadsSomewhere({ table, beside }: List): Sql {
  if (!beside) return Prisma.sql`TRUE`
  const exists = Prisma.sql`EXISTS (SELECT FROM ${beside.table.from}
      WHERE ${beside.table.equals('id', table, beside.by)} OFFSET 0)`
  if (beside.table.isPartial) return exists
  const { relation, name } = table.real(beside.by)
  const other = beside.table.real('id')
  const isThere = table.mayBeNull(beside.by)
    ? Prisma.sql`${table.column(beside.by)} IS NOT NULL AND`
    : Prisma.empty
  return Prisma.sql`${isThere} ((SELECT NOT row_security_active(to_regclass(${other.relation})) AND EXISTS (
      SELECT FROM pg_catalog.pg_constraint AS c
      JOIN pg_catalog.pg_attribute AS a ON a.attrelid = c.conrelid AND a.attnum = ANY(c.conkey)
      WHERE c.conrelid = to_regclass(${relation}) AND c.confrelid = to_regclass(${other.relation})
        AND c.contype = 'f' AND c.convalidated AND cardinality(c.conkey) = 1 AND a.attname = ${name}))
    OR ${exists})`
}

function isBeyond(mostRows: number): Sql {
  return Prisma.sql`("looked at" > ${mostRows}::integer)`
}

/**
 * Of a parent's rows, a limit that PostgreSQL does not see when it plans. It takes it for a tenth of what a parent has as a
 * rule, and walks the index that has the order; a limit that is more than that it would have sort all there are.
 */
function limit({ parent }: List, size: number): Sql {
  return parent === null ? Prisma.sql`LIMIT ${size}` : Prisma.sql`LIMIT (SELECT ${size}::integer)`
}
