import { GatewayError } from '../domain/errors.ts'
import type { Page, PageRequest, Position } from '../domain/page.ts'
import { Prisma } from './client.ts'
import type { TableInQuery } from './tables.ts'

/** Parts of a statement that reads keyset pages of a table ordered by one column of dates, then id; exact to PostgreSQL's microseconds. */
export interface Keyset {
  /** The date as text that compares exactly; a result column. */
  readonly value: Prisma.Sql
  /** Conditions for the part of the list that the page is taken from; begins with AND, or is empty. */
  readonly within: Prisma.Sql
  /** ORDER BY and LIMIT, for one row more than the page holds. */
  readonly limit: Prisma.Sql
  /** The condition that a row lies beyond the cursor that bounds the page on the side it starts from; `null`: no such. */
  readonly beyondStart: Prisma.Sql | null
  /** Likewise for the cursor on the other side. */
  readonly beyondEnd: Prisma.Sql | null
}

export function keyset(table: TableInQuery, field: string, page: PageRequest): Keyset {
  const key = Prisma.sql`(${table.column(field)}, ${table.column('id')})`
  const at = ({ value, id }: Position) => {
    if (!table.fits('id', id)) throw new GatewayError('BAD_USER_INPUT', 'The cursor is not valid.')
    return Prisma.sql`(${value}::text::timestamptz, ${id}::text${table.cast('id')})`
  }
  const direction = Prisma.raw(page.from === 'start' ? 'ASC' : 'DESC')
  const { after, before } = page
  return {
    value: Prisma.sql`to_char(${table.column(field)} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')`,
    within: Prisma.sql`
      ${after ? Prisma.sql`AND ${key} > ${at(after)}` : Prisma.empty}
      ${before ? Prisma.sql`AND ${key} < ${at(before)}` : Prisma.empty}`,
    limit: Prisma.sql`
      ORDER BY ${table.column(field)} ${direction}, ${table.column('id')} ${direction}
      LIMIT ${page.size + 1}`,
    beyondStart: after ? Prisma.sql`${key} <= ${at(after)}` : null,
    beyondEnd: before ? Prisma.sql`${key} >= ${at(before)}` : null,
  }
}

/** The page made of the rows that `keyset` asked for, in list order, of which one may be too many. */
export function toPage<Item>(
  items: readonly Item[],
  page: PageRequest,
  beyond: { readonly start: boolean; readonly end: boolean },
): Page<Item> {
  const more = items.length > page.size
  return page.from === 'start'
    ? {
        items: items.slice(0, page.size),
        hasNextPage: more || beyond.end,
        hasPreviousPage: beyond.start,
      }
    : {
        items: more ? items.slice(1) : items,
        hasNextPage: beyond.end,
        hasPreviousPage: more || beyond.start,
      }
}
