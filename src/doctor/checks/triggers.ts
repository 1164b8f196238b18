import type { Trigger } from '../../layout/statement-trigger.ts'
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

async function findMissing(examined: Examined): Promise<Findings> {
  const { config, layout } = examined
  return findTriggers(examined, triggersOf(layout), {
    level: 'error',
    missing: (names) =>
      `PERMISSION_EVENTS is postgres, but these triggers are missing or disabled, so changes are not told of: ${names}.`,
    there: 'The triggers that tell of changes are there.',
    sql: script(triggerStatements(layout, config.database.schema)),
  })
}

/** Whether these triggers are there and enabled. */
export async function findTriggers(
  { config, database }: Pick<Examined, 'config' | 'database'>,
  wanted: readonly Trigger[],
  as: {
    readonly level: Finding['level']
    readonly missing: (names: string) => string
    readonly there: string
    readonly sql: string
  },
): Promise<Findings> {
  const tables = [...new Set(wanted.map(({ table }) => table))]
  const found = await database.read<Found>(tablesUnder(config.database.schema, tables))
  const missing = wanted.filter(
    ({ table, name }) => !found.some((it) => it.of === table && it.triggers.includes(name)),
  )
  if (missing.length === 0) return [{ level: 'info', message: as.there }]
  const isView = (table: string) => !found.some((it) => it.of === table && it.itself)
  const ofTables = missing.filter(({ table }) => !isView(table))
  const views = tables.filter((table) => isView(table) && missing.some((it) => it.table === table))
  const names = ofTables.map(({ table, name }) => `"${name}" on "${table}"`).join(', ')
  const { level, sql } = as
  return [
    ...(ofTables.length === 0 ? [] : [{ level, message: as.missing(names), sql }]),
    ...views.map((view) => ({ level, message: ofView(view, found) })),
  ]
}

interface Found {
  /** The table of the layout that it is, or that is a view of it. */
  readonly of: string
  readonly itself: boolean
  readonly relation: string
  readonly triggers: readonly string[]
}

/** The tables of these names and, where they are views, those that they show in the end, with their triggers. */
function tablesUnder(schema: string, tables: readonly string[]) {
  return Prisma.sql`
    WITH RECURSIVE shown AS (
      SELECT c.relname::text AS "of", c.oid, c.relkind, TRUE AS itself
      FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
      WHERE n.nspname = ${schema} AND c.relname = ANY(${tables}::text[]) AND c.relkind IN ('r', 'p', 'v', 'm')
      UNION
      SELECT shown."of", c.oid, c.relkind, FALSE
      FROM shown JOIN pg_catalog.pg_rewrite AS r ON r.ev_class = shown.oid
      JOIN pg_catalog.pg_depend AS d ON d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid
        AND d.refclassid = 'pg_class'::regclass AND d.refobjid <> shown.oid
      JOIN pg_catalog.pg_class AS c ON c.oid = d.refobjid AND c.relkind IN ('r', 'p', 'v', 'm')
      WHERE shown.relkind IN ('v', 'm')
    )
    SELECT "of", itself, shown.oid::regclass::text AS "relation", ARRAY(
      SELECT t.tgname::text FROM pg_catalog.pg_trigger AS t
      WHERE t.tgrelid = shown.oid AND t.tgenabled IN ('O', 'A') AND NOT t.tgisinternal) AS "triggers"
    FROM shown WHERE relkind IN ('r', 'p') ORDER BY 1, 3`
}

function ofView(view: string, found: readonly Found[]): string {
  const under = found.flatMap((it) => (it.of === view ? it.relation : []))
  const named = under.length === 0 ? '' : ` (${under.join(', ')})`
  return `PERMISSION_EVENTS is postgres, but "${view}" is a view, which has no such triggers: let them be made on the tables under it${named}, by the SQL that doctor --sql prints with a schema file of those, or set PERMISSION_EVENTS=redis.`
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
