import { MARK } from './absent.ts'
import type { Layout, Table } from './layout.ts'
import { quote, quotedColumn } from './quote.ts'
import {
  ALL,
  EVENTS,
  type Event,
  MOST_BYTES,
  type StatementTrigger,
  type Trigger,
  triggerOn,
  triggersIn,
  withChangedRows,
} from './statement-trigger.ts'

/** The channel that the triggers notify and the gateway listens on. */
export const CHANNEL = 'identity_gateway_invalidate'

/** A statement that changes more people than this is told of by organization, and of more of these as all. */
const MOST_NAMED = 20

/**
 * SQL that lets PostgreSQL tell gateways whose permissions a statement changed, for the owner of the tables to run in
 * one transaction. Triggers run once a statement, whatever its number of rows. Payloads are JSON: `{"users":[…]}`,
 * `{"organizations":[…]}` or `{"all":true}`.
 */
export function triggerStatements(layout: Layout, schema: string): string[] {
  return watchedTables(layout).flatMap((watched) => triggerOn(schema, toTrigger(watched)))
}

/** The triggers that these statements make. */
export function triggersOf(layout: Layout): readonly Trigger[] {
  return triggersIn(watchedTables(layout).map(toTrigger))
}

function toTrigger(watched: Watched): StatementTrigger {
  return {
    ...{ table: watched.table, function: watched.function, prefix: 'identity_gateway' },
    events: EVENTS.filter((event) => isNeeded(watched, event)),
    body: body(watched),
  }
}

function watchedTables({ Member, OrganizationRole, User }: Layout): readonly Watched[] {
  if (!Member || !User) return []
  const organizationsOf = (table: Table) => quotedColumn(table, 'organizationId')
  return [
    {
      table: Member,
      function: 'identity_gateway_members_changed',
      users: quotedColumn(Member, 'userId'),
      organizations: organizationsOf(Member),
    },
    ...(OrganizationRole
      ? [
          {
            table: OrganizationRole,
            function: 'identity_gateway_roles_changed',
            organizations: organizationsOf(OrganizationRole),
          },
        ]
      : []),
    {
      table: User,
      function: 'identity_gateway_users_changed',
      users: quotedColumn(User, 'id'),
      counting: endings(User),
    },
  ]
}

interface Watched {
  readonly table: Table
  readonly function: string
  /** The quoted column that names people. */
  readonly users?: string
  /** The quoted column that names organizations. */
  readonly organizations?: string
  /** The quoted columns whose changes count; then new rows do not. Absent: all columns, and new rows. */
  readonly counting?: readonly string[]
}

/** What ends what a user may do. */
function endings({ columns }: Table): readonly string[] {
  return [columns.banned, columns.banExpires, columns[MARK]].flatMap((column) =>
    column ? [quote(column.name)] : [],
  )
}

function isNeeded({ counting }: Watched, event: Event): boolean {
  return counting === undefined || (event === 'update' ? counting.length > 0 : event !== 'insert')
}

function body(watched: Watched): string {
  const { users, organizations, counting } = watched
  const collect = (rows: string) =>
    Object.entries({ users, organizations })
      .flatMap(([target, column]) =>
        column ? [`${target} := array(select distinct ${column}::text from ${rows});`] : [],
      )
      .join('\n    ')
  return `
declare
  users text[] := '{}';
  organizations text[] := '{}';
  payload text := ${ALL};
begin
  ${withChangedRows(collect, counting && updatedRows(users, counting))}
  if tg_op <> 'TRUNCATE' and users = '{}' and organizations = '{}' then return null; end if;
  if cardinality(users) between 1 and ${MOST_NAMED} then
    payload := json_build_object('users', users);
  elsif cardinality(organizations) between 1 and ${MOST_NAMED} then
    payload := json_build_object('organizations', organizations);
  end if;
  if octet_length(payload) > ${MOST_BYTES} then payload := ${ALL}; end if;
  perform pg_notify('${CHANNEL}', payload);
  return null;
end`
}

function updatedRows(id: string | undefined, counting: readonly string[]): string {
  if (counting.length === 0 || id === undefined) return 'select * from was where false'
  const values = (row: string) => `(${counting.map((column) => `${row}.${column}`).join(', ')})`
  return `select was.* from was join is_now on was.${id} = is_now.${id}
      where ${values('was')} is distinct from ${values('is_now')}`
}
