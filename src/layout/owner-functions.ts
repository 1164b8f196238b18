import { isWallClock, type Layout, type StoredType, type Table, UTC } from './layout.ts'
import type { Grantee } from './owner-sql.ts'
import { literal, quote, quotedColumn } from './quote.ts'

/** What the gateway's role may ask of a table about a secret that it shows, without a way to the secrets themselves. */
export interface OwnerFunction {
  /** As SQL names it: with its schema, quoted. */
  readonly name: string
  /** As `to_regprocedure` finds it. */
  readonly signature: string
  readonly parameter: string
  readonly returns: 'text' | 'json'
  readonly body: string
}

type Place = Pick<Grantee, 'schema' | 'timestampZone'>

export interface OwnerFunctions {
  readonly sessions: OwnerFunction | null
  readonly apiKeys: OwnerFunction | null
}

/** All of them; `null` where the database has nothing for one to look at. */
export function ownerFunctions(layout: Layout, place: Place): OwnerFunctions {
  return { sessions: sessionFunction(layout, place), apiKeys: apiKeyFunction(layout, place) }
}

/** From a session token to its user, while the session lasts; `null` where there is no such table. */
export function sessionFunction({ Session }: Pick<Layout, 'Session'>, place: Place) {
  if (!Session) return null
  const body = `
  select ${quotedColumn(Session, 'userId')}::text from ${quote(place.schema, Session.name)}
  where ${quote(Session.tokenColumn ?? 'token')} = $1 and ${quotedColumn(Session, 'expiresAt')} > ${currentTime(Session, place)}
`
  const called = 'identity_gateway_session_user'
  return named(called, 'session_token', { table: Session, place, returns: 'text', body })
}

/** From the hash of an API key to whose it is and what it may do; `null` where no table says whose, and when it ends. */
export function apiKeyFunction({ Apikey }: Pick<Layout, 'Apikey'>, place: Place) {
  const has = (field: string) => Apikey?.columns[field] !== undefined
  const owner = ['referenceId', 'userId'].find(has)
  if (!Apikey || owner === undefined || !['enabled', 'expiresAt', 'remaining'].every(has))
    return null
  const column = (field: string) => (has(field) ? quotedColumn(Apikey, field) : 'null')
  const answer = {
    id: `${column('id')}::text`,
    ownerId: `${column(owner)}::text`,
    configId: `${column('configId')}::text`,
    permissions: `${column('permissions')}::text`,
    disabled: `${column('enabled')}::integer = 0`,
    expired: `${column('expiresAt')} < ${currentTime(Apikey, place)}`,
    metered: `${column('remaining')} is not null`,
  }
  const parts = Object.entries(answer).map(([name, sql]) => `${literal(name)}, ${sql}`)
  const body = `
  select json_build_object(${parts.join(', ')}) from ${quote(place.schema, Apikey.name)}
  where ${quote(Apikey.tokenColumn ?? 'key')} = $1
`
  const called = 'identity_gateway_api_key'
  return named(called, 'key_hash', { table: Apikey, place, returns: 'json', body })
}

/**
 * SQL that makes the function and lets the role call it, for the owner of its table to run in one transaction. It runs
 * with its owner's rights, so everything in it is named in full, and no setting or table of the caller's can stand in for
 * anything.
 */
export function functionStatements(made: OwnerFunction | null, role: string): string[] {
  if (!made) return []
  const { name, signature, parameter, returns, body } = made
  return [
    `create or replace function ${name}(${parameter} text) returns ${returns}
language sql stable security definer set search_path = pg_catalog, pg_temp
as ${literal(body)}`,
    // A function that somebody else had made under this name stays theirs, to change again, unless it is taken over.
    `alter function ${signature} owner to current_user`,
    `revoke all on function ${signature} from public`,
    revokeFromOthers(signature),
    `grant execute on function ${signature} to ${quote(role)}`,
  ]
}

/** From whomever default privileges of the database let call every new function. */
function revokeFromOthers(signature: string): string {
  return `do ${literal(`declare other text;
begin
  for other in
    select distinct acl.grantee::regrole::text
    from pg_catalog.pg_proc as p, pg_catalog.aclexplode(p.proacl) as acl
    where p.oid = pg_catalog.to_regprocedure(${literal(signature)}) and acl.grantee not in (0, p.proowner)
  loop
    execute format('revoke all on function %s from %s cascade', ${literal(signature)}, other);
  end loop;
end`)}`
}

/**
 * Where its table has no time zone, the name says by whose clock it ends what is in there: a function that was made for
 * another clock is not found, rather than called.
 */
function named(
  called: string,
  parameter: string,
  {
    table,
    place: { schema, timestampZone = UTC },
    ...made
  }: Pick<OwnerFunction, 'returns' | 'body'> & { readonly table: Table; readonly place: Place },
): OwnerFunction {
  const isPlain = timestampZone === UTC || !isWallClock(endOf(table))
  const name = quote(schema, isPlain ? called : `${called} ${timestampZone}`)
  return { name, signature: `${name}(text)`, parameter, ...made }
}

/** As the column holds it: the caller's TimeZone must not move the end of anything. */
function currentTime(table: Table, { timestampZone = UTC }: Place): string {
  return isWallClock(endOf(table)) ? `now() at time zone ${literal(timestampZone)}` : 'now()'
}

function endOf({ columns }: Table): StoredType | undefined {
  return columns.expiresAt?.type
}
