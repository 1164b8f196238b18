import type { Column, StoredType, Table } from '../../layout/layout.ts'
import { quote } from '../../layout/quote.ts'
import { hasWordsOf, indexedWords } from '../../layout/words.ts'
import { Prisma } from '../../postgres/client.ts'
import type { Check } from '../finding.ts'
import { type NeededIndex, neededIndexes } from '../index-list.ts'

/** Which indexes the gateway's statements need and the database lacks. Any index that serves as well counts. */
export const checkIndexes: Check = async ({ database, layout, config: { database: config } }) => {
  const names = Object.values(layout).flatMap((table) => (table ? [table.name] : []))
  const keys = await database.read<IndexKey>(Prisma.sql`
    SELECT c.relname::text AS "table", i.indexrelid::text AS "index", k::int AS "position", m.amname::text AS "method",
      a.attname::text AS "column", pg_get_indexdef(i.indexrelid, k, false) AS "definition",
      i.indoption[k - 1] & 1 = 1 AS "descending",
      o.opcname LIKE '%pattern_ops' OR coalesce(l.collname IN ('C', 'POSIX'), FALSE) AS "byBytes"
    FROM pg_catalog.pg_index AS i
    JOIN pg_catalog.pg_class AS c ON c.oid = i.indrelid
    JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
    JOIN pg_catalog.pg_class AS x ON x.oid = i.indexrelid
    JOIN pg_catalog.pg_am AS m ON m.oid = x.relam AND m.amname IN ('btree', 'gin')
    CROSS JOIN generate_series(1, i.indnkeyatts::int) AS k
    LEFT JOIN pg_catalog.pg_opclass AS o ON o.oid = i.indclass[k - 1]
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
    const method = methodOf(needed)
    const ofTable = indexes.filter(([key]) => key?.table === table.name && key.method === method)
    return ofTable.some((index) => serves(index, columns, needed.kind))
      ? []
      : [toFinding(needed, config.schema, table)]
  })
  return missing.length > 0
    ? missing
    : [{ level: 'info', message: 'Every index that the gateway’s statements need is there.' }]
}

interface IndexKey {
  readonly table: string
  /** `btree` or `gin`. */
  readonly method: string
  readonly index: string
  readonly position: number
  /** `null`: an expression. */
  readonly column: string | null
  readonly definition: string
  readonly descending: boolean
  /** Ordered by bytes rather than by a language, as LIKE needs it. */
  readonly byBytes: boolean
}

/** What an index is made of, as SQL; `null` when the database has no use for it. */
export function keysOf({ fields, kind }: NeededIndex, table: Table): readonly string[] | null {
  const columns = columnsOf({ fields, kind }, table)
  if (!columns) return null
  return columns.map((column, i) => {
    const name = quote(column.name)
    if (kind === 'prefix') return `lower(${name}) text_pattern_ops`
    if (kind === 'words') return indexedWords(name)
    return kind === 'sorted' && isOrderedBy(columns, i) ? withoutNull(name, column) : name
  })
}

/** What an index is on, as CREATE INDEX has it; `null` when the database has no use for it. */
export function definitionOf(needed: NeededIndex, table: Table): string | null {
  const keys = keysOf(needed, table)?.join(', ')
  if (keys === undefined) return null
  return methodOf(needed) === 'gin' ? `USING gin (${keys})` : `(${keys})`
}

function methodOf({ kind }: Pick<NeededIndex, 'kind'>): string {
  return kind === 'words' ? 'gin' : 'btree'
}

/** `null` when the database lacks a column, or stores it as something that no index helps with. */
function columnsOf(
  { fields, kind }: Pick<NeededIndex, 'fields' | 'kind'>,
  table: Table,
): readonly Column[] | null {
  const columns = fields.flatMap((field) => table.columns[field] ?? [])
  if (columns.length < fields.length) return null
  if (kind === 'prefix' && columns.some(({ type }) => type !== 'text')) return null
  if (kind === 'words' && !columns.every(({ type }) => TEXTS.includes(type))) return null
  return columns.every(({ type }) => INDEXED.includes(type)) ? columns : null
}

const TEXTS: readonly StoredType[] = ['text', 'citext']

/** What statements compare as it is stored. */
const INDEXED: readonly StoredType[] = [
  'text',
  'citext',
  'uuid',
  'integer',
  'boolean',
  'timestamptz',
  'timestamp',
]

/** The last but one: those before are compared with one value, and the last is the id. */
function isOrderedBy({ length }: readonly unknown[], i: number): boolean {
  return i === length - SORTED_BY
}

/** As statements order by it: see `byInstant` and `byText`. */
function withoutNull(name: string, { required, type }: Column): string {
  if (required) return name
  if (type === 'timestamptz') return `COALESCE(${name}, 'epoch'::timestamptz)`
  if (type === 'timestamp') return `COALESCE(${name}, ('epoch'::timestamptz AT TIME ZONE 'UTC'))`
  return `COALESCE(${name}, '')`
}

function serves(
  index: readonly IndexKey[],
  columns: readonly Column[],
  kind: NeededIndex['kind'],
): boolean {
  const leading = index.slice(0, columns.length)
  const [first] = columns
  if (kind === 'prefix')
    return first !== undefined && leading.some((key) => key.byBytes && isCall('lower', key, first))
  if (kind === 'words')
    return columns.every(({ name }) => index.some((key) => hasWordsOf(name, key.definition)))
  const names = leading.map(({ column }) => column)
  if (kind === 'equal') return columns.every(({ name }) => names.includes(name))
  const directions = new Set(leading.slice(-SORTED_BY).map(({ descending }) => descending))
  if (leading.length < columns.length || directions.size > 1) return false
  return columns.every((column, i) => {
    const key = leading[i]
    if (!key || column.required || !isOrderedBy(columns, i)) return key?.column === column.name
    return isCall('COALESCE', key, column)
  })
}

/** Columns before these are compared with one value, so their direction is nothing. */
const SORTED_BY = 2

/** PostgreSQL writes `lower(name)`, `lower("displayName")`, and of a varchar `lower((name)::text)`. */
function isCall(of: string, { column, definition }: IndexKey, { name }: Column): boolean {
  if (column !== null) return false
  const plain = definition.replaceAll(/[()\s]|::text|"(?!")/g, '')
  return plain === `${of}${name}` || plain.startsWith(`${of}${name},`)
}

function toFinding(needed: NeededIndex, schema: string, table: Table) {
  const definition = definitionOf(needed, table)
  return {
    level: 'warning',
    message: `No index on ${quote(table.name)} ${definition}; it serves ${needed.reason.replaceAll('`', '')}.`,
    sql: `CREATE INDEX CONCURRENTLY ON ${quote(schema, table.name)} ${definition};`,
  } as const
}
