import { GatewayError } from '../domain/errors.ts'
import type {
  Count,
  CountsByParent,
  Listed,
  Omissible,
  Page,
  PageRequest,
  PagesByParent,
  Position,
} from '../domain/page.ts'
import { Prisma } from './client.ts'
import type { Columns, Row } from './columns.ts'
import { type Db, mostRowsOf } from './db.ts'
import { counts, type Join, pages } from './join.ts'
import type { Key } from './order.ts'
import { compare, countOf, type List, mayBeUnfinished, parents, rowsOf } from './rows.ts'

type Sql = Prisma.Sql

/** Stands for the parent of a list that has none. */
const nobody = ''

/** Pages and lengths of the lists of many parents. */
export function listsOf<Entity, Filters extends readonly unknown[]>(
  db: Db,
  joined: Join,
  columns: Columns<Entity>,
  listOf: (db: Db, ...filters: Filters) => List,
) {
  return {
    list: joined(pages, (parentIds, page: PageRequest, ...filters: Filters) =>
      listPages(db, listOf(db, ...filters), columns, parentIds, page),
    ),
    count: joined(counts, (parentIds, ...filters: Filters) =>
      countRows(db, listOf(db, ...filters), parentIds),
    ),
  }
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

export async function countAll(db: Db, list: List): Promise<Count> {
  return (await countRows(db, list, [nobody])).get(nobody) ?? none
}

/** Rows that are looked at before another index is tried. */
const FEW_ROWS = 1000

/** The ways to read a list, the next for those parents of which the one before left something unread. */
async function* waysOf(
  list: List,
  mostRows: number,
): AsyncGenerator<[list: List, mostRows: number]> {
  if (list.otherwise && mostRows > FEW_ROWS) yield [list, FEW_ROWS]
  const other = await list.otherwise?.()
  if (other) yield [other, mostRows]
  yield [list, mostRows]
}

/** @throws GatewayError LIMIT_EXCEEDED when a page is not full after as many rows as may be looked at. */
async function listPages<Entity>(
  db: Db,
  list: List,
  columns: Columns<Entity>,
  parentIds: readonly string[],
  page: PageRequest,
): Promise<PagesByParent<Listed<Entity>>> {
  const mostRows = mostRowsOf(db)
  const asked = columns.without(page.without ?? [])
  const found = new Map<string, Page<Listed<Entity>>>()
  for await (const [way, most] of waysOf(list, mostRows)) {
    const unread = parentIds.filter((id) => !found.has(id))
    for (const [id, own] of await readPages(db, way, asked.inList(way), unread, page, most))
      found.set(id, own)
    if (found.size === new Set(parentIds).size) return found
  }
  throw new GatewayError(
    'LIMIT_EXCEEDED',
    `This page would take a look at more than ${mostRows} entries. Ask for fewer with filter, or in the order of CREATED_AT.`,
  )
}

/**
 * The same page of every parent's list, in one statement: a lateral read stops each list at the page's size, and an
 * index on parent, key and id serves it without a sort. Parents whose page takes a look at more rows are left out.
 */
async function readPages<Entity>(
  { read, tables }: Db,
  list: List,
  columns: Columns<Entity>,
  parentIds: readonly string[],
  page: PageRequest,
  mostRows: number,
): Promise<Map<string, Page<Listed<Entity>>>> {
  const { direction = 'ASC' } = list
  const [next, previous] = direction === 'ASC' ? ['>', '<'] : ['<', '>']
  const { after, before } = page
  const seesMore = isRead('more', page)
  const along = Prisma.raw(direction)
  const against = Prisma.raw(direction === 'ASC' ? 'DESC' : 'ASC')
  const at = (operator: string, cursor: Position | undefined) =>
    cursor ? compare(list, operator, cursor) : Prisma.empty
  // The nearest row beyond a cursor, in the order of the index: an EXISTS would let PostgreSQL look for any, from anywhere.
  const beyond = (name: Sql, operator: string, cursor: Position | undefined, way: Sql) => {
    if (!cursor || !seesMore) return { column: Prisma.empty, join: Prisma.empty }
    const between = at(operator, cursor)
    const nearest = rowsOf(list, { columns: Prisma.empty, between, way, size: 1, mostRows })
    return {
      column: Prisma.sql`, ${mayBeUnfinished(list) ? Prisma.sql`NOT ${name}.unfinished` : Prisma.sql`${name}."keyId" IS NOT NULL`} AS ${name}`,
      join: Prisma.sql`LEFT JOIN LATERAL (${nearest}) AS ${name} ON TRUE`,
    }
  }
  const start = beyond(beyondStart, `${previous}=`, after, against)
  const end = beyond(beyondEnd, `${next}=`, before, along)
  const items = rowsOf(list, {
    columns: withComma(columns.select(tables)),
    between: Prisma.sql`${at(next, after)} ${at(previous, before)}`,
    way: page.from === 'start' ? along : against,
    size: page.size + (seesMore ? 1 : 0),
    mostRows,
  })
  const key = isRead('position', page) ? Prisma.sql`${list.key.text} AS "key",` : Prisma.empty
  const unfinished = mayBeUnfinished(list) ? Prisma.sql`item.unfinished,` : Prisma.empty
  const rows = await read<PageRow>(Prisma.sql`
    SELECT parent.id::text AS parent ${start.column} ${end.column}, ${withComma(columns.again(tables))}
      ${key} ${unfinished} item."keyId"::text AS "keyId"
    FROM ${parents(list, parentIds)} ${start.join} ${end.join}
    LEFT JOIN LATERAL (${items}) AS item ON TRUE
    ORDER BY item."key" ${along}, item."keyId" ${along}`)
  const byParent = new Map<string, PageRow[]>(parentIds.map((id) => [id, []]))
  for (const row of rows) byParent.get(row.parent)?.push(row)
  const finished = [...byParent].filter(([, own]) => !own.some(({ unfinished }) => unfinished))
  const listed = (row: PageRow) => ({
    entity: columns.read(row),
    position: new Place(row, list.key),
  })
  return new Map(finished.map(([id, own]) => [id, toPage(own, page, listed)]))
}

function isRead(part: Omissible, { without = [] }: PageRequest): boolean {
  return !without.includes(part)
}

function withComma(columns: Prisma.Sql): Prisma.Sql {
  return columns === Prisma.empty ? columns : Prisma.sql`${columns},`
}

/** The length of every parent's list. */
async function countRows(
  db: Db,
  list: List,
  parentIds: readonly string[],
): Promise<CountsByParent> {
  const counts = new Map<string, Count>()
  for await (const [way, most] of waysOf(list, mostRowsOf(db))) {
    const unread = parentIds.filter((id) => !counts.get(id)?.isExact)
    for (const [id, count] of await readCounts(db, way, unread, most)) counts.set(id, count)
    if (parentIds.every((id) => counts.get(id)?.isExact)) break
  }
  return counts
}

async function readCounts(
  { read }: Db,
  list: List,
  parentIds: readonly string[],
  mostRows: number,
) {
  const rows = await read<CountRow>(Prisma.sql`
    SELECT parent.id::text AS parent, counted.*
    FROM ${parents(list, parentIds)} CROSS JOIN LATERAL (${countOf(list, mostRows)}) AS counted`)
  const counts = new Map<string, Count>(parentIds.map((id) => [id, none]))
  for (const { parent, count, more } of rows)
    counts.set(parent, { count: Number(count), isExact: !more })
  return counts
}

const none: Count = { count: 0, isExact: true }

const [beyondStart, beyondEnd] = [Prisma.raw('"beyondStart"'), Prisma.raw('"beyondEnd"')]

interface CountRow {
  readonly parent: string
  readonly count: bigint
  readonly more: boolean
}

interface PageRow extends Row {
  readonly parent: string
  /** Absent: it was not asked, because the page begins where the list does. */
  readonly beyondStart?: boolean | null
  readonly beyondEnd?: boolean | null
  readonly unfinished?: boolean | null
  /** Absent: the page is read without positions. */
  readonly key?: string
  readonly keyId: string | null
}

/**
 * One row more than the page holds says that the list goes on, where that is asked. A parent without rows has one, with no
 * item in it.
 */
function toPage<Item>(
  rows: readonly PageRow[],
  page: PageRequest,
  toItem: (row: PageRow) => Item,
): Page<Item> {
  const [first] = rows
  const own = rows.filter(({ keyId }) => keyId !== null)
  const more = own.length > page.size
  const fromStart = page.from === 'start'
  const seesMore = isRead('more', page)
  const shown = fromStart ? own.slice(0, page.size) : own.slice(-page.size)
  return {
    items: shown.map(toItem),
    hasNextPage: seesMore ? (fromStart && more) || (first?.beyondEnd ?? false) : undefined,
    hasPreviousPage: seesMore ? (!fromStart && more) || (first?.beyondStart ?? false) : undefined,
  }
}

/** Made of its row when a cursor is asked for, as few are. */
class Place implements Position {
  readonly #row: PageRow
  readonly #key: Key

  constructor(row: PageRow, key: Key) {
    this.#row = row
    this.#key = key
  }

  get value(): string {
    const { key } = this.#row
    if (key === undefined) throw new Error('This page was read without positions.')
    return this.#key.shown(key)
  }

  get id(): string {
    return this.#row.keyId ?? ''
  }
}
