import { hasWordsOf } from '../../layout/words.ts'
import { Prisma } from '../client.ts'
import type { Db } from '../db.ts'
import type { Tables } from '../tables.ts'

const BELIEVED_MS = 60_000
const known = new WeakMap<
  Tables,
  { readonly indexed: Promise<boolean>; readonly askedAt: number }
>()

/** Whether there is an index on the words of these fields of users, which `doctor` asks for; as of at most a minute ago. */
export async function areWordsIndexed(db: Db, fields: readonly string[]): Promise<boolean> {
  const { tables } = db
  const before = known.get(tables)
  if (before && performance.now() - before.askedAt < BELIEVED_MS) return before.indexed
  const indexed = readWhetherIndexed(db, fields)
  known.set(tables, { indexed, askedAt: performance.now() })
  indexed.catch(() => known.delete(tables))
  return indexed
}

async function readWhetherIndexed(
  { read, tables }: Db,
  fields: readonly string[],
): Promise<boolean> {
  const table = tables.as('User', 'u')
  const columns = fields.map((field) => table.real(field))
  const rows = await read<{ readonly definition: string }>(Prisma.sql`
    SELECT pg_get_indexdef(i.indexrelid, k, TRUE) AS "definition"
    FROM pg_catalog.pg_index AS i
    JOIN pg_catalog.pg_class AS x ON x.oid = i.indexrelid
    JOIN pg_catalog.pg_am AS m ON m.oid = x.relam AND m.amname = 'gin'
    CROSS JOIN generate_series(1, i.indnkeyatts::int) AS k
    WHERE i.indrelid = to_regclass(${table.real('id').relation}) AND i.indisvalid AND i.indpred IS NULL`)
  return columns.every(({ name }) => rows.some(({ definition }) => hasWordsOf(name, definition)))
}
