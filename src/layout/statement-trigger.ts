import type { Table } from './layout.ts'
import { literal, quote } from './quote.ts'

export const EVENTS = ['insert', 'update', 'delete', 'truncate'] as const
export type Event = (typeof EVENTS)[number]

/** Triggers on one table, which call one function once a statement. */
export interface StatementTrigger {
  readonly table: Table
  /** The name of the function. */
  readonly function: string
  /** In PL/pgSQL; it finds the rows from before and after the statement in `was` and `is_now`. */
  readonly body: string
  readonly events: readonly Event[]
  /** What the names of the triggers begin with. */
  readonly prefix: string
  /** Reads other tables as well, as the owner: whoever changes this one need not be let read those. */
  readonly readsOthers?: boolean
}

/** PostgreSQL refuses a notification of 8000 bytes, and with it the statement that the trigger belongs to. */
export const MOST_BYTES = 7900
/** What is notified where ids would be too many, or too long: a literal of SQL. */
export const ALL = `'{"all":true}'`

const UPDATED = 'select * from was union all select * from is_now'

/**
 * In PL/pgSQL, what is done with the rows that a statement changed.
 * @param collect Does it with the rows of what it is given, as `from` takes it.
 * @param updated Which rows count of an update (as they were and as they are).
 */
export function withChangedRows(collect: (from: string) => string, updated = UPDATED): string {
  return `if tg_op = 'INSERT' then
    ${collect('is_now')}
  elsif tg_op = 'DELETE' then
    ${collect('was')}
  elsif tg_op = 'UPDATE' then
    ${collect(`(${updated}) as changed`)}
  end if;`
}

/** A trigger by its name and the table it is on. */
export interface Trigger {
  readonly table: string
  readonly name: string
}

export function triggersIn(all: readonly StatementTrigger[]): readonly Trigger[] {
  return all.flatMap(({ table, events, prefix }) =>
    events.map((event) => ({ table: table.name, name: `${prefix}_${event}` })),
  )
}

const REFERENCING: Readonly<Record<Event, string>> = {
  insert: ' referencing new table as is_now',
  update: ' referencing old table as was new table as is_now',
  delete: ' referencing old table as was',
  truncate: '',
}

/** Statements that make these triggers, in place of any of the same names. */
export function triggerOn(schema: string, made: StatementTrigger): string[] {
  const name = quote(schema, made.function)
  const on = quote(schema, made.table.name)
  const definer = made.readsOthers ? ' security definer' : ''
  return [
    `create or replace function ${name}() returns trigger
language plpgsql${definer} set search_path = pg_catalog, pg_temp
as ${literal(made.body)}`,
    `alter function ${name}() owner to current_user`,
    ...(made.readsOthers ? [`revoke all on function ${name}() from public`] : []),
    onTable(
      on,
      EVENTS.flatMap((event) => {
        const trigger = quote(`${made.prefix}_${event}`)
        const drop = `drop trigger if exists ${trigger} on ${on}`
        const create = `create trigger ${trigger} after ${event} on ${on}${REFERENCING[event]}
for each statement execute function ${name}()`
        return made.events.includes(event) ? [drop, create] : [drop]
      }),
    ),
  ]
}

/** A view has no such triggers, and is passed by. */
function onTable(on: string, statements: readonly string[]): string {
  return `do ${literal(`begin
if (select relkind in ('r', 'p') from pg_catalog.pg_class where oid = ${literal(on)}::regclass) then
${statements.map((statement) => `${statement};`).join('\n')}
end if;
end`)}`
}
