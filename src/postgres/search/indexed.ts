import type { UserSearch } from '../../domain/user.ts'
import { hasWordsOf } from '../../layout/words.ts'
import { Prisma } from '../client.ts'
import type { Db } from '../db.ts'
import type { Tables } from '../tables.ts'
import { believed } from './believed.ts'

/** Of these every word is searched, of others how they begin. */
export const OF_WORDS: readonly UserSearch['in'][number][] = ['name', 'email']

const known = new WeakMap<Tables, () => Promise<boolean>>()

/** Whether there is an index on these words of users, which `doctor` asks for; as of at most a minute ago. */
export function areWordsIndexed(db: Db): Promise<boolean> {
  const asked = known.get(db.tables) ?? believed(() => readWhetherIndexed(db))
  known.set(db.tables, asked)
  return asked()
}

async function readWhetherIndexed({ read, tables }: Db): Promise<boolean> {
  const table = tables.as('User', 'u')
  const columns = OF_WORDS.map((field) => table.real(field))
  const rows = await read<{ readonly definition: string }>(Prisma.sql`
    SELECT pg_get_indexdef(i.indexrelid, k, TRUE) AS "definition"
    FROM pg_catalog.pg_index AS i
    JOIN pg_catalog.pg_class AS x ON x.oid = i.indexrelid
    JOIN pg_catalog.pg_am AS m ON m.oid = x.relam AND m.amname = 'gin'
    CROSS JOIN generate_series(1, i.indnkeyatts::int) AS k
    WHERE i.indrelid = to_regclass(${table.real('id').relation}) AND i.indisvalid AND i.indpred IS NULL`)
  return columns.every(({ name }) => rows.some(({ definition }) => hasWordsOf(name, definition)))
}
