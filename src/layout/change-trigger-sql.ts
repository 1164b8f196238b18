import { CHANGES_CHANNEL, IDS_AT_ONCE, MOST_IDS } from './change-notification.ts'
import type { Layout, Table } from './layout.ts'
import { quote, quotedColumn } from './quote.ts'
import {
  ALL,
  EVENTS,
  MOST_BYTES,
  type StatementTrigger,
  triggerOn,
  triggersIn,
  withChangedRows,
} from './statement-trigger.ts'

/**
 * SQL that lets PostgreSQL tell gateways what a statement changed, for those who subscribe to changes, for the owner of the
 * tables to run in one transaction. Triggers run once a statement, whatever its number of rows. Payloads are JSON, with
 * lists of ids: `users`, whose account, memberships or permissions changed; `sessions`, whose sessions; `organizations`,
 * whose members, roles, teams or own data; `everyoneIn`, where what members may do. `{"all":true}` is more than is told so.
 */
export function changeTriggerStatements(layout: Layout, schema: string): string[] {
  return watchedTables(layout, schema).flatMap((watched) => triggerOn(schema, watched))
}

/** The triggers that these statements make. */
export function changeTriggersOf(layout: Layout) {
  return triggersIn(watchedTables(layout, ''))
}

/** What is told of the rows that a statement changed: the name of a list, and the ids in it. */
type Told = Readonly<Record<string, string>>

function watchedTables(layout: Layout, schema: string): readonly StatementTrigger[] {
  const { User, Session, Organization, Member, OrganizationRole, Team, TeamMember } = layout
  const watch = (
    table: Table | null,
    what: string,
    told: (table: Table) => Told,
    { events = EVENTS, readsOthers = false }: Partial<StatementTrigger> = {},
  ): StatementTrigger[] =>
    table
      ? [
          {
            ...{ table, events, readsOthers, prefix: 'identity_gateway_tell' },
            function: `identity_gateway_tell_of_${what}`,
            body: body(told(table)),
          },
        ]
      : []
  const inTeams = (table: Table) =>
    Team
      ? `select t.${quotedColumn(Team, 'organizationId')} from ${quote(schema, Team.name)} as t
        join changed on changed.${quotedColumn(table, 'teamId')} = t.${quotedColumn(Team, 'id')}`
      : 'select null::text where false'
  return [
    // Nobody can have subscribed to what has just been made.
    ...watch(User, 'users', (table) => ({ users: column(table, 'id') }), { events: CHANGES }),
    ...watch(Session, 'sessions', (table) => ({ sessions: column(table, 'userId') })),
    ...watch(Member, 'members', (table) => ({
      users: column(table, 'userId'),
      organizations: column(table, 'organizationId'),
    })),
    ...watch(OrganizationRole, 'roles', (table) => ({
      everyoneIn: column(table, 'organizationId'),
    })),
    ...watch(Organization, 'organizations', (table) => ({ organizations: column(table, 'id') }), {
      events: CHANGES,
    }),
    ...watch(Team, 'teams', (table) => ({ organizations: column(table, 'organizationId') })),
    ...watch(
      TeamMember,
      'team_members',
      (table) => ({ users: column(table, 'userId'), organizations: inTeams(table) }),
      { readsOthers: true },
    ),
  ]
}

const CHANGES = ['update', 'delete', 'truncate'] as const

function column(table: Table, name: string): string {
  return `select ${quotedColumn(table, name)} from changed`
}

/** In an order of its own, so that the same ids make the same notification, which PostgreSQL sends once. */
function body(told: Told): string {
  const lists = Object.entries(told)
  const collect = (from: string) =>
    lists
      .map(
        ([list, ids]) =>
          `${list} := array(with changed as (select * from ${from}) select distinct id::text from (${ids}) as ids(id) where id is not null order by 1);`,
      )
      .join('\n    ')
  const count = lists.map(([list]) => `cardinality(${list})`).join(' + ')
  const tell = lists
    .map(
      ([list]) => `for place in 1..cardinality(${list}) by ${IDS_AT_ONCE} loop
    payload := json_build_object('${list}', ${list}[place:place + ${IDS_AT_ONCE - 1}]);
    if octet_length(payload) > ${MOST_BYTES} then payload := ${ALL}; end if;
    perform pg_notify('${CHANGES_CHANNEL}', payload);
  end loop;`,
    )
    .join('\n  ')
  return `
declare
${lists.map(([list]) => `  ${list} text[] := '{}';`).join('\n')}
  payload text;
begin
  ${withChangedRows(collect)}
  if tg_op = 'TRUNCATE' or ${count} > ${MOST_IDS} then
    perform pg_notify('${CHANGES_CHANNEL}', ${ALL});
    return null;
  end if;
  ${tell}
  return null;
end`
}
