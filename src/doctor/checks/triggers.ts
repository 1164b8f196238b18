import { triggerStatements, triggersOf } from '../../layout/trigger-sql.ts'
import { Prisma } from '../../postgres/client.ts'
import type { Check } from '../finding.ts'
import { script } from '../sql.ts'

/** Whether the triggers are there that tell of changes, when they are counted on. */
export const checkTriggers: Check = async ({ config, database, layout }) => {
  if (config.permissions.events !== 'postgres') return []
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
