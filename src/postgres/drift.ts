import { GatewayError } from '../domain/errors.ts'
import { type Layout, type StoredType, type Table, UTC } from '../layout/layout.ts'
import type { Grantee } from '../layout/owner-sql.ts'
import { type Database, Prisma } from './client.ts'
import { findRowSecurity, type RowSecurity } from './row-security.ts'
import { isUtc } from './session-options.ts'

/** One way in which a database is not as the gateway needs it. */
export interface Drift {
  /**
   * `structure`: it has to be introspected again. `grant`: its owner has to let this role read. `session`: a pooler drops
   * the settings that the gateway asks for when it connects. `zone`: it does not know DATABASE_TIMESTAMP_ZONE.
   */
  readonly kind: 'structure' | 'grant' | 'session' | 'zone'
  /** A clause that names what differs, without a full stop. */
  readonly what: string
}

/**
 * Compares the layout with the catalog, and what this role may read with what the gateway reads; nothing is read of the
 * tables themselves. In the order of the layout, and then tables whose rows are hidden.
 * @throws GatewayError when the database cannot be asked.
 */
export async function findDrift(
  database: Pick<Database, 'read'>,
  layout: Layout,
  { schema, timestampZone = UTC }: Pick<Grantee, 'schema' | 'timestampZone'>,
): Promise<readonly Drift[]> {
  const tables = Object.values(layout).filter((table) => table !== null)
  const names = tables.map(({ name }) => name)
  const [[session], zone, hidden, columns] = await Promise.all([
    database.read<Session>(SESSION),
    timestampZone === UTC ? [] : ofZone(database, timestampZone),
    findRowSecurity(database, schema, names),
    database.read<Found>(Prisma.sql`
      SELECT c.relname::text AS "table", a.attname::text AS "column",
        CASE b.typtype WHEN 'e' THEN 'enum' ELSE b.typname::text END AS "type",
        format_type(a.atttypid, NULL) AS "spelling",
        NOT a.attnotnull AND c.relkind IN ('r', 'p') AS "nullable",
        has_schema_privilege(n.oid, 'USAGE') AND has_column_privilege(c.oid, a.attnum, 'SELECT') AS "readable"
      FROM pg_catalog.pg_namespace AS n
      JOIN pg_catalog.pg_class AS c ON c.relnamespace = n.oid AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
      JOIN pg_catalog.pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
      JOIN pg_catalog.pg_type AS t ON t.oid = a.atttypid
      JOIN pg_catalog.pg_type AS b ON b.oid = CASE t.typtype WHEN 'd' THEN t.typbasetype ELSE t.oid END
      WHERE n.nspname = ${schema} AND c.relname = ANY(${names}::text[])`),
  ])
  return [
    ...(session ? ofSession(session) : []),
    ...zone,
    ...tables.flatMap((table) =>
      ofTable(
        table,
        columns.filter((column) => column.table === table.name),
        session?.role ?? '',
      ),
    ),
    ...ofRows(hidden, session?.role ?? ''),
  ]
}

const MOST_NAMED = 3

/** One sentence that says what differs and which command helps; `null` when nothing does. */
export function describeDrift(drift: readonly Drift[]): string | null {
  const [first] = drift
  if (!first) return null
  const alike = drift.filter(({ kind }) => kind === first.kind).map(({ what }) => what)
  const rest = alike.length - MOST_NAMED
  const more = rest > 0 ? `, and ${rest} more` : ''
  return `${alike.slice(0, MOST_NAMED).join(', ')}${more}: ${REMEDY[first.kind]}.`
}

/** What is asked of the catalog is believed for this long, so a change shows this long after it at the latest. */
const BELIEVED_MS = 5000

interface DriftWatchOptions {
  /** Answers what is wrong in one sentence, or `null`. Rejects when the database cannot be asked. */
  readonly find: () => Promise<string | null>
  /** Told when what is wrong changes: a sentence, or `null` when nothing is wrong any more. */
  readonly onChange: (problem: string | null) => void
  /** In milliseconds, never running backwards. */
  readonly now?: () => number
}

/**
 * What is wrong with the database, looked up at most every five seconds however often it is asked for. Rejects when the
 * database cannot be asked and was not lately.
 */
export function watchDrift({
  find,
  onChange,
  now = () => performance.now(),
}: DriftWatchOptions): () => Promise<string | null> {
  let found: { readonly problem: string | null; readonly atMs: number } | undefined
  let finding: Promise<string | null> | undefined
  const look = async () => {
    const atMs = now()
    const problem = await find()
    if (problem !== (found?.problem ?? null)) onChange(problem)
    found = { problem, atMs }
    return problem
  }
  return async () => {
    if (found && now() - found.atMs < BELIEVED_MS) return found.problem
    finding ??= look().finally(() => {
      finding = undefined
    })
    return finding
  }
}

const REMEDY: Readonly<Record<Drift['kind'], string>> = {
  structure: 'run the command introspect for this database and start with the schema it writes',
  grant: 'let the owner of the tables run the SQL that the command doctor --sql prints',
  session:
    'let the owner of the database run the SQL that the command doctor --sql prints, which sets it for the role, then RECONNECT the pooler',
  zone: 'set DATABASE_TIMESTAMP_ZONE to a name that it lists in pg_timezone_names',
}

interface Session {
  readonly role: string
  readonly zone: string
  readonly dates: string
  readonly readOnly: string
}

const SESSION = Prisma.sql`
  SELECT current_user::text AS "role", current_setting('TimeZone') AS "zone",
    current_setting('DateStyle') AS "dates",
    current_setting('default_transaction_read_only') AS "readOnly"`

interface Found {
  readonly table: string
  readonly column: string
  readonly type: string
  /** The type as SQL writes it. */
  readonly spelling: string
  /** Of a view's columns PostgreSQL does not know it. */
  readonly nullable: boolean
  readonly readable: boolean
}

function ofSession({ zone, dates, readOnly }: Session): readonly Drift[] {
  const drift = (what: string): Drift => ({ kind: 'session', what })
  return [
    ...(readOnly === 'on' ? [] : [drift('the session is not read-only')]),
    ...(dates.startsWith('ISO')
      ? []
      : [drift(`the DateStyle of the session is ${dates} instead of ISO`)]),
    ...(isUtc(zone) ? [] : [drift(`the TimeZone of the session is ${zone} instead of UTC`)]),
  ]
}

/** Asked by its use: to look among all names makes PostgreSQL read a file for each. */
async function ofZone({ read }: Pick<Database, 'read'>, zone: string): Promise<readonly Drift[]> {
  try {
    await read(Prisma.sql`SELECT now() AT TIME ZONE ${zone}::text`)
    return []
  } catch (error) {
    if (!(error instanceof GatewayError && error.code === 'INTERNAL')) throw error
    return [{ kind: 'zone', what: `PostgreSQL knows no time zone "${zone}"` }]
  }
}

function ofRows(found: readonly RowSecurity[], role: string): readonly Drift[] {
  return found
    .filter(({ shows }) => shows === 'none')
    .map(({ table }) => ({
      kind: 'grant',
      what: `row-level security shows the role "${role}" no row of the table "${table}"`,
    }))
}

function ofTable(table: Table, found: readonly Found[], role: string): readonly Drift[] {
  const structure = (what: string): Drift => ({ kind: 'structure', what })
  if (found.length === 0) return [structure(`the table "${table.name}" is missing`)]
  const expected = Object.values(table.columns)
  const differences = Object.entries(table.columns).flatMap(([field, column]) => {
    const where = `the column "${table.name}"."${column.name}"`
    const actual = found.find(({ column: name }) => name === column.name)
    if (!actual) return [structure(`${where} is missing`)]
    if (column.type !== 'array' && !(TYPES[column.type] ?? [column.type]).includes(actual.type))
      return [structure(`${where} is of type ${actual.spelling} instead of ${column.type}`)]
    // A table without a primary key does not say that its ids are never NULL.
    if (actual.nullable && column.required && field !== 'id')
      return [structure(`${where} may be NULL now`)]
    return []
  })
  const hidden = expected.filter(({ name }) =>
    found.some(({ column, readable }) => column === name && !readable),
  )
  if (hidden.length === 0) return differences
  const whole = hidden.length === expected.length
  const names = hidden.map(({ name }) => `"${table.name}"."${name}"`).join(', ')
  const grant: Drift = {
    kind: 'grant',
    what: `the role "${role}" may not read ${whole ? `the table "${table.name}"` : names}`,
  }
  return [...differences, grant]
}

/** Names of the catalog for what introspection takes for a type, where these are not its own. */
const TYPES: Readonly<Partial<Record<StoredType, readonly string[]>>> = {
  text: ['text', 'varchar', 'bpchar'],
  boolean: ['bool'],
  integer: ['int2', 'int4', 'int8'],
  number: ['int2', 'int4', 'int8', 'float4', 'float8', 'numeric'],
}
