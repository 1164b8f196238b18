import { GatewayError } from '../domain/errors.ts'
import type {
  CountsByParent,
  Direction,
  Listed,
  Page,
  PageRequest,
  PagesByParent,
  Position,
} from '../domain/page.ts'
import { Prisma } from './client.ts'
import type { Columns, Row } from './columns.ts'
import type { Db } from './db.ts'
import { counts, type Join, pages } from './join.ts'
import type { TableInQuery, Tables } from './tables.ts'

type Sql = Prisma.Sql

/** The rows that a list holds, and in which order. */
export interface List {
  readonly table: TableInQuery
  /** The column that says whose list a row is in; `null`: there is one list of all. */
  readonly parent: string | null
  /** What the list is ordered by, ties by id. */
  readonly key: Key
  /** `ASC` when absent. */
  readonly direction?: Direction
  /** Tables beside it that conditions and columns speak of. */
  readonly join?: Sql
  /** Conditions, each beginning with AND. */
  readonly where?: Sql
}

export interface Key {
  /** Never NULL, and as an index holds it. */
  readonly sql: Sql
  /** As text: an instant in RFC 3339, exact to the microsecond, or the text itself. */
  readonly text: Sql
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
  if (!table.mayBeNull(field)) return { sql: column, text: rfc3339(shown), parse }
  return {
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

/** Stands for the parent of a list that has none. */
const nobody = ''

/** Pages and lengths of the lists of many parents. */
export function listsOf<Entity, Filters extends readonly unknown[]>(
  db: Db,
  joined: Join,
  columns: Columns<Entity>,
  listOf: (tables: Tables, ...filters: Filters) => List,
) {
  return {
    list: joined(pages, (parentIds, page: PageRequest, ...filters: Filters) =>
      listPages(db, listOf(db.tables, ...filters), columns, parentIds, page),
    ),
    count: joined(counts, (parentIds, ...filters: Filters) =>
      countRows(db, listOf(db.tables, ...filters), parentIds),
    ),
  }
}

/**
 * The same page of every parent's list, in one statement: a lateral read stops each list at the page's size, and an
 * index on parent, key and id serves it without a sort.
 */
async function listPages<Entity>(
  { read, tables }: Db,
  list: List,
  columns: Columns<Entity>,
  parentIds: readonly string[],
  page: PageRequest,
): Promise<PagesByParent<Listed<Entity>>> {
  const { table, key, direction = 'ASC' } = list
  const source = sourceOf(list)
  const position = Prisma.sql`(${key.sql}, ${table.column('id')})`
  const at = (cursor: Position) => boundary(list, cursor)
  const [next, previous] = direction === 'ASC' ? ['>', '<'] : ['<', '>']
  const compare = (operator: string, cursor: Position) =>
    Prisma.sql`${position} ${Prisma.raw(operator)} ${at(cursor)}`
  const { after, before } = page
  const along = Prisma.raw(direction)
  const against = Prisma.raw(direction === 'ASC' ? 'DESC' : 'ASC')
  // The nearest row beyond a cursor, in the order of the index: an EXISTS would let PostgreSQL look for any, from anywhere.
  const beyond = (name: Sql, operator: string, cursor: Position | undefined, way: Sql) =>
    cursor
      ? {
          column: Prisma.sql`, ${name}.found AS ${name}`,
          join: Prisma.sql`LEFT JOIN LATERAL (SELECT TRUE AS found ${source} AND ${compare(operator, cursor)}
            ORDER BY ${key.sql} ${way}, ${table.column('id')} ${way} LIMIT 1) AS ${name} ON TRUE`,
        }
      : { column: Prisma.empty, join: Prisma.empty }
  const start = beyond(beyondStart, `${previous}=`, after, against)
  const end = beyond(beyondEnd, `${next}=`, before, along)
  const away = Prisma.raw((direction === 'ASC') === (page.from === 'start') ? 'ASC' : 'DESC')
  const rows = await read<PageRow>(Prisma.sql`
    SELECT parent.id::text AS parent ${start.column} ${end.column}, item.*
    FROM ${parents(list, parentIds)} ${start.join} ${end.join}
    LEFT JOIN LATERAL (
      SELECT ${columns.select(tables)}, ${key.text} AS "key", ${table.column('id')}::text AS "keyId"
      ${source}
        ${after ? Prisma.sql`AND ${compare(next, after)}` : Prisma.empty}
        ${before ? Prisma.sql`AND ${compare(previous, before)}` : Prisma.empty}
      ORDER BY ${key.sql} ${away}, ${table.column('id')} ${away}
      LIMIT ${page.size + 1}) AS item ON TRUE
    ORDER BY item."key" ${along}, item."keyId" ${along}`)
  const byParent = new Map<string, PageRow[]>(parentIds.map((id) => [id, []]))
  for (const row of rows) byParent.get(row.parent)?.push(row)
  return new Map([...byParent].map(([id, own]) => [id, toPage(own, page, columns.read)]))
}

/** The length of every parent's list, in one statement. */
async function countRows(
  { read }: Db,
  list: List,
  parentIds: readonly string[],
): Promise<CountsByParent> {
  const rows = await read<{ parent: string; count: bigint }>(Prisma.sql`
    SELECT parent.id::text AS parent, counted.count
    FROM ${parents(list, parentIds)}
    CROSS JOIN LATERAL (SELECT count(*) AS count ${sourceOf(list)}) AS counted`)
  const counts = new Map(rows.map((row) => [row.parent, Number(row.count)]))
  return new Map(parentIds.map((id) => [id, counts.get(id) ?? 0]))
}

/** A page of the one list that has no parent. */
export async function listAll<Entity>(
  db: Db,
  list: List,
  columns: Columns<Entity>,
  page: PageRequest,
): Promise<Page<Listed<Entity>>> {
  const pages = await listPages(db, list, columns, [nobody], page)
  return pages.get(nobody) ?? { items: [], hasNextPage: false, hasPreviousPage: false }
}

export async function countAll(db: Db, list: List): Promise<number> {
  return (await countRows(db, list, [nobody])).get(nobody) ?? 0
}

const [beyondStart, beyondEnd] = [Prisma.raw('"beyondStart"'), Prisma.raw('"beyondEnd"')]

interface PageRow extends Row {
  readonly parent: string
  /** Absent: it was not asked, because the page begins where the list does. */
  readonly beyondStart?: boolean | null
  readonly beyondEnd?: boolean | null
  readonly key: string
  readonly keyId: string | null
}

function parents({ table, parent }: List, ids: readonly string[]): Sql {
  const values = parent === null ? Prisma.sql`${ids}::text[]` : table.array(parent, ids)
  return Prisma.sql`unnest(${values}) AS parent (id)`
}

/** The rows of one parent's list. */
function sourceOf({ table, parent, join = Prisma.empty, where = Prisma.empty }: List): Sql {
  const belongs =
    parent === null ? Prisma.sql`TRUE` : Prisma.sql`${table.column(parent)} = parent.id`
  return Prisma.sql`FROM ${table.from} ${join} WHERE ${belongs} ${where}`
}

function boundary({ table, key }: List, { value, id }: Position): Sql {
  if (!table.fits('id', id)) throw new GatewayError('BAD_USER_INPUT', 'The cursor is not valid.')
  return Prisma.sql`(${key.parse(value)}, ${id}::text${table.cast('id')})`
}

/** One row more than the page holds says that the list goes on. A parent without rows has one, with no item in it. */
function toPage<Entity>(
  rows: readonly PageRow[],
  page: PageRequest,
  read: (row: Row) => Entity,
): Page<Listed<Entity>> {
  const [first] = rows
  const own = rows.filter(({ keyId }) => keyId !== null)
  const more = own.length > page.size
  const fromStart = page.from === 'start'
  const shown = fromStart ? own.slice(0, page.size) : own.slice(-page.size)
  return {
    items: shown.map((row) => ({
      entity: read(row),
      position: { value: row.key, id: row.keyId ?? '' },
    })),
    hasNextPage: (fromStart && more) || (first?.beyondEnd ?? false),
    hasPreviousPage: (!fromStart && more) || (first?.beyondStart ?? false),
  }
}
