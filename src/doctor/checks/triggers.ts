import { triggerStatements, triggersOf } from '../../layout/trigger-sql.ts'
import { Prisma } from '../../postgres/client.ts'
import { isHeard } from '../../postgres/postgres-notifications.ts'
import { describeUnreachable } from '../../postgres/unreachable.ts'
import type { Check, Examined, Finding } from '../finding.ts'
import { script } from '../sql.ts'

/** Whether the triggers are there that tell of changes, and are heard, when they are counted on. */
export const checkTriggers: Check = async (examined) =>
  examined.config.permissions.events === 'postgres'
    ? [...(await findMissing(examined)), ...(await findUnheard(examined))]
    : []

async function findMissing({ config, database, layout }: Examined): Promise<Findings> {
  const { schema } = config.database
  const found = await database.read<{ readonly table: string; readonly name: string }>(Prisma.sql`
    SELECT c.relname::text AS "table", t.tgname::text AS "name" FROM pg_catalog.pg_trigger AS t
    JOIN pg_catalog.pg_class AS c ON c.oid = t.tgrelid
    JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
    WHERE n.nspname = ${schema} AND t.tgenabled IN ('O', 'A') AND NOT t.tgisinternal`)
  const missing = triggersOf(layout).filter(
    ({ table, name }) => !found.some((it) => it.table === table && it.name === name),
  )
  if (missing.length === 0)
    return [{ level: 'info', message: 'The triggers that tell of changes are there.' }]
  const names = missing.map(({ table, name }) => `"${name}" on "${table}"`).join(', ')
  return [
    {
      level: 'error',
      message: `PERMISSION_EVENTS is postgres, but these triggers are missing or disabled, so changes are not told of: ${names}.`,
      sql: script(triggerStatements(layout, schema)),
    },
  ]
}

type Findings = readonly Omit<Finding, 'check'>[]

/** Sends what a trigger would, but about nobody, and waits for it where the gateway would. */
async function findUnheard({ config, database }: Examined): Promise<Findings> {
  const url = config.database.listenUrl
  const notify = (channel: string, payload: string) =>
    database.read(Prisma.sql`SELECT pg_catalog.pg_notify(${channel}, ${payload})::text`)
  try {
    if (await isHeard(url, notify)) return []
    return [{ level: 'error', message: UNHEARD }]
  } catch (error) {
    return [{ level: 'error', message: describeUnreachable(error, url, 'DATABASE_LISTEN_URL') }]
  }
}

const UNHEARD =
  'PERMISSION_EVENTS is postgres, but what the database notifies does not arrive within a second, as through a pooler that shares sessions: set DATABASE_LISTEN_URL to the primary itself, and to the same database.'
