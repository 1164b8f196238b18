import type { Layout, Table } from './layout.ts'
import { literal, quote, quotedColumn } from './quote.ts'

/** The channel that the triggers notify and the gateway listens on. */
export const CHANNEL = 'identity_gateway_invalidate'

/** A statement that changes more people than this is told of by organization, and of more of these as all. */
const MOST_NAMED = 20
/** PostgreSQL refuses a notification of 8000 bytes, and with it the statement that the trigger belongs to. */
const MOST_BYTES = 7900
const ALL = `'{"all":true}'`

/**
 * SQL that lets PostgreSQL tell gateways whose permissions a statement changed, for the owner of the tables to run in
 * one transaction. Triggers run once a statement, whatever its number of rows. Payloads are JSON: `{"users":[…]}`,
 * `{"organizations":[…]}` or `{"all":true}`.
 */
export function triggerStatements(layout: Layout, schema: string): string[] {
  const { Member, OrganizationRole, User } = layout
  if (!Member || !User) return []
  const organizationsOf = (table: Table) => quotedColumn(table, 'organizationId')
  return [
    ...watch(schema, Member, {
      function: 'identity_gateway_members_changed',
      users: quotedColumn(Member, 'userId'),
      organizations: organizationsOf(Member),
    }),
    ...(OrganizationRole
      ? watch(schema, OrganizationRole, {
          function: 'identity_gateway_roles_changed',
          organizations: organizationsOf(OrganizationRole),
        })
      : []),
    ...watch(schema, User, {
      function: 'identity_gateway_users_changed',
      users: quotedColumn(User, 'id'),
      counting: bans(User),
    }),
  ]
}

interface Watched {
  readonly function: string
  /** The quoted column that names people. */
  readonly users?: string
  /** The quoted column that names organizations. */
  readonly organizations?: string
  /** The quoted columns whose changes count; then new rows do not. Absent: all columns, and new rows. */
  readonly counting?: readonly string[]
}

function bans({ columns }: Table): readonly string[] {
  return [columns.banned, columns.banExpires].flatMap((column) =>
    column ? [quote(column.name)] : [],
  )
}

function watch(schema: string, table: Table, watched: Watched): string[] {
  const name = quote(schema, watched.function)
  const on = quote(schema, table.name)
  const events = {
    insert: ' referencing new table as is_now',
    update: ' referencing old table as was new table as is_now',
    delete: ' referencing old table as was',
    truncate: '',
  }
  const { counting } = watched
  const needed = (event: string) =>
    counting === undefined || (event === 'update' ? counting.length > 0 : event !== 'insert')
  return [
    `create or replace function ${name}() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp
as ${literal(body(watched))}`,
    `alter function ${name}() owner to current_user`,
    ...Object.entries(events).flatMap(([event, referencing]) => {
      const trigger = quote(`identity_gateway_${event}`)
      const drop = `drop trigger if exists ${trigger} on ${on}`
      const create = `create trigger ${trigger} after ${event} on ${on}${referencing}
for each statement execute function ${name}()`
      return needed(event) ? [drop, create] : [drop]
    }),
  ]
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
  if tg_op = 'INSERT' then
    ${collect('is_now')}
  elsif tg_op = 'DELETE' then
    ${collect('was')}
  elsif tg_op = 'UPDATE' then
    ${collect(`(${changedRows(users, counting)}) as changed`)}
  end if;
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

function changedRows(id: string | undefined, counting: readonly string[] | undefined): string {
  if (counting === undefined) return 'select * from was union all select * from is_now'
  if (counting.length === 0 || id === undefined) return 'select * from was where false'
  const values = (row: string) => `(${counting.map((column) => `${row}.${column}`).join(', ')})`
  return `select was.* from was join is_now on was.${id} = is_now.${id}
      where ${values('was')} is distinct from ${values('is_now')}`
}
