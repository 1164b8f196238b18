import { contract, type Model, models } from '../../layout/contract.ts'
import { quote } from '../../layout/quote.ts'
import { Prisma } from '../../postgres/client.ts'
import { loweredDefinitions } from '../../postgres/conditions.ts'
import type { Check, Examined, Finding } from '../finding.ts'

type Found = Omit<Finding, 'check'>

/** Whether the database sees to it that an address belongs to one user, and a slug to one organization. */
export const checkUniqueness: Check = async (examined) => {
  const found: Found[] = []
  for (const model of models)
    for (const field of contract[model].unique ?? [])
      found.push(...(await uniqueness(examined, model, field)))
  return [...found, ...(await capitals(examined))]
}

async function uniqueness({ database, layout, tables }: Examined, model: Model, field: string) {
  const table = layout[model]
  if (!table || !tables.has(model, field)) return []
  const { relation, name } = tables.as(model, 't').real(field)
  const [row] = await database.read<{ readonly kind: string; readonly unique: boolean }>(Prisma.sql`
    SELECT c.relkind::text AS "kind", EXISTS (
      SELECT FROM pg_catalog.pg_index AS i
      WHERE i.indrelid = c.oid AND i.indisunique AND i.indisvalid AND i.indpred IS NULL AND i.indnkeyatts = 1
        AND pg_get_indexdef(i.indexrelid, 1, TRUE) IN (
          quote_ident(${name}::text), ${loweredDefinitions(name)})) AS "unique"
    FROM pg_catalog.pg_class AS c WHERE c.oid = to_regclass(${relation})`)
  // A view has no indexes; those of the tables under it are not ours to know.
  if (!row || row.unique || row.kind === 'v') return []
  return [
    {
      level: 'error',
      message: `Nothing keeps two rows of "${table.name}" from having one "${name}". Where two have, neither is found by it.`,
      sql: `create unique index concurrently on ${relation} (${quote(name)});`,
    } as const,
  ]
}

/** Addresses that Better Auth would not find either: it looks for them in lower case. */
async function capitals({ database, tables }: Examined): Promise<readonly Found[]> {
  const users = tables.as('User', 'u')
  const email = users.column('email')
  if (users.real('email').type !== 'text') return []
  const [row] = await database.read<{ readonly count: number }>(Prisma.sql`
    SELECT count(*)::int AS "count" FROM (
      SELECT FROM ${users.from} WHERE ${email} <> lower(${email}) LIMIT 1000) AS found`)
  if (!row || row.count === 0) return []
  return [
    {
      level: 'warning',
      message: `${row.count === 1000 ? 'At least 1000' : row.count} addresses of users are stored with capitals, which Better Auth does not do: they are found only where lower(email) is indexed, and by nobody who signs in.`,
    },
  ]
}
