import type { Table } from '../../layout/layout.ts'
import { quote } from '../../layout/quote.ts'
import { Prisma } from '../../postgres/client.ts'
import type { Check } from '../finding.ts'
import { type NeededIndex, neededIndexes } from '../index-list.ts'

/** Which indexes the gateway's statements need and the database lacks. Any index that serves as well counts. */
export const checkIndexes: Check = async ({ database, layout, config: { database: config } }) => {
  const names = Object.values(layout).flatMap((table) => (table ? [table.name] : []))
  const keys = await database.read<IndexKey>(Prisma.sql`
    SELECT c.relname::text AS "table", i.indexrelid::text AS "index", k::int AS "position",
      a.attname::text AS "column", pg_get_indexdef(i.indexrelid, k, false) AS "definition",
      i.indoption[k - 1] & 1 = 1 AS "descending",
      o.opcname LIKE '%pattern_ops' OR coalesce(l.collname IN ('C', 'POSIX'), FALSE) AS "byBytes"
    FROM pg_catalog.pg_index AS i
    JOIN pg_catalog.pg_class AS c ON c.oid = i.indrelid
    JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
    JOIN pg_catalog.pg_class AS x ON x.oid = i.indexrelid
    JOIN pg_catalog.pg_am AS m ON m.oid = x.relam AND m.amname = 'btree'
    CROSS JOIN generate_series(1, i.indnkeyatts::int) AS k
    JOIN pg_catalog.pg_opclass AS o ON o.oid = i.indclass[k - 1]
    LEFT JOIN pg_catalog.pg_collation AS l ON l.oid = i.indcollation[k - 1]
    LEFT JOIN pg_catalog.pg_attribute AS a ON a.attrelid = c.oid AND a.attnum = i.indkey[k - 1] AND a.attnum > 0
    WHERE n.nspname = ${config.schema} AND c.relname = ANY(${names}::text[])
      AND i.indisvalid AND i.indpred IS NULL
    ORDER BY i.indexrelid, k`)
  const indexes = [...new Set(keys.map(({ index }) => index))].map((index) =>
    keys.filter((key) => key.index === index),
  )
  const missing = neededIndexes.flatMap((needed) => {
    const table = layout[needed.model]
    const columns = table ? columnsOf(needed, table) : null
    if (!table || !columns) return []
    const ofTable = indexes.filter(([key]) => key?.table === table.name)
    return ofTable.some((index) => serves(index, columns, needed.kind))
      ? []
      : [toFinding(needed, config.schema, table, columns)]
  })
  return missing.length > 0
    ? missing
    : [{ level: 'info', message: 'Every index that the gateway’s statements need is there.' }]
}

interface IndexKey {
  readonly table: string
  readonly index: string
  readonly position: number
  /** `null`: an expression. */
  readonly column: string | null
  readonly definition: string
  readonly descending: boolean
  /** Ordered by bytes rather than by a language, as LIKE needs it. */
  readonly byBytes: boolean
}

/** Real names; `null` when the database lacks a column, or stores it as something that is not searched by its beginning. */
function columnsOf({ fields, kind }: NeededIndex, table: Table): readonly string[] | null {
  const columns = fields.flatMap((field) => table.columns[field] ?? [])
  if (columns.length < fields.length) return null
  if (kind === 'prefix' && columns.some(({ type }) => type !== 'text')) return null
  return columns.map(({ name }) => name)
}

function serves(
  index: readonly IndexKey[],
  columns: readonly string[],
  kind: NeededIndex['kind'],
): boolean {
  const leading = index.slice(0, columns.length)
  if (kind === 'prefix')
    return (
      leading.every((key) => key.byBytes && isLower(key, columns[0] ?? '')) && leading.length > 0
    )
  const names = leading.map(({ column }) => column)
  if (kind === 'equal') return columns.every((column) => names.includes(column))
  const directions = new Set(leading.slice(-SORTED_BY).map(({ descending }) => descending))
  return columns.every((column, i) => names[i] === column) && directions.size === 1
}

/** Columns before these are compared with one value, so their direction is nothing. */
const SORTED_BY = 2

/** PostgreSQL writes `lower(name)`, `lower("displayName")`, and of a varchar `lower((name)::text)`. */
function isLower({ column, definition }: IndexKey, name: string): boolean {
  if (column !== null) return false
  const plain = definition.replaceAll(/[()\s]|::text|"(?!")/g, '')
  return plain === `lower${name}`
}

function toFinding(
  { kind, reason }: NeededIndex,
  schema: string,
  table: Table,
  columns: readonly string[],
) {
  const keys = columns.map((column) =>
    kind === 'prefix' ? `lower(${quote(column)}) text_pattern_ops` : quote(column),
  )
  return {
    level: 'warning',
    message: `No index on ${quote(table.name)} (${keys.join(', ')}); it serves ${reason.replaceAll('`', '')}.`,
    sql: `CREATE INDEX CONCURRENTLY ON ${quote(schema, table.name)} (${keys.join(', ')});`,
  } as const
}
