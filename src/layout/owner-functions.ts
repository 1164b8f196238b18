import { contract, type Model, tokenFields } from './contract.ts'
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
  /** NULL: nobody has it. */
  readonly returns: 'text' | 'json'
  readonly body: string
}

type Place = Pick<Grantee, 'schema' | 'timestampZone'>

export interface OwnerFunctions {
  readonly sessions: OwnerFunction | null
  /** Beside `sessions`, which gateways of earlier versions ask as well. */
  readonly sessionIds: OwnerFunction | null
  readonly apiKeys: OwnerFunction | null
  readonly opaqueTokens: OwnerFunction | null
}

/** All of them; `null` where the database has nothing for one to look at. */
export function ownerFunctions(layout: Layout, place: Place): OwnerFunctions {
  return {
    sessions: sessionFunction(layout, place),
    sessionIds: sessionIdFunction(layout, place),
    apiKeys: apiKeyFunction(layout, place),
    opaqueTokens: opaqueTokenFunction(layout, place),
  }
}

/** What follows the id of a user as whom an admin acts, on a line of its own. */
export const IMPERSONATED = 'impersonated'

/**
 * From a session token to its user, while the session lasts; `null` where there is no such table. It answers as it always
 * did, so that gateways of several versions can ask it: those that do not know of `IMPERSONATED` find no such user.
 */
export function sessionFunction({ Session }: Pick<Layout, 'Session'>, place: Place) {
  if (!Session) return null
  const impersonated = `${columnOf(Session, 'impersonatedBy')} is not null`
  return finding('identity_gateway_session_user', 'session_token', {
    model: 'Session',
    table: Session,
    place,
    answer: `${columnOf(Session, 'userId')}::text || case when ${impersonated} then chr(10) || ${literal(IMPERSONATED)} else '' end`,
    condition: `${columnOf(Session, 'expiresAt')} > ${currentTime(Session, place)}`,
  })
}

/** From a session token to which session it is, while that lasts; `null` where there is no such table. */
export function sessionIdFunction({ Session }: Pick<Layout, 'Session'>, place: Place) {
  if (!Session) return null
  return finding('identity_gateway_session_id', 'session_token', {
    model: 'Session',
    table: Session,
    place,
    answer: `${columnOf(Session, 'id')}::text`,
    condition: `${columnOf(Session, 'expiresAt')} > ${currentTime(Session, place)}`,
  })
}

/** From the hash of an API key to whose it is and what it may do; `null` where no table says whose, and when it ends. */
export function apiKeyFunction({ Apikey }: Pick<Layout, 'Apikey'>, place: Place) {
  const owner = ['referenceId', 'userId'].find((field) => has(Apikey, field))
  if (!Apikey || owner === undefined || !has(Apikey, 'enabled', 'expiresAt', 'remaining'))
    return null
  return finding('identity_gateway_api_key', 'key_hash', {
    model: 'Apikey',
    table: Apikey,
    place,
    answer: {
      id: `${columnOf(Apikey, 'id')}::text`,
      ownerId: `${columnOf(Apikey, owner)}::text`,
      configId: `${columnOf(Apikey, 'configId')}::text`,
      permissions: `${columnOf(Apikey, 'permissions')}::text`,
      disabled: `${columnOf(Apikey, 'enabled')}::integer = 0`,
      expired: `${columnOf(Apikey, 'expiresAt')} < ${currentTime(Apikey, place)}`,
      metered: `${columnOf(Apikey, 'remaining')} is not null`,
    },
  })
}

/** From the hash of an opaque access token to whom it speaks for; `null` where no table says all that may end it. */
export function opaqueTokenFunction(
  { OauthAccessToken: table }: Pick<Layout, 'OauthAccessToken'>,
  place: Place,
) {
  if (!table || !has(table, ...Object.keys(contract.OauthAccessToken.columns))) return null
  return finding('identity_gateway_opaque_token', 'token_hash', {
    model: 'OauthAccessToken',
    table,
    place,
    answer: {
      userId: `${columnOf(table, 'userId')}::text`,
      clientId: `${columnOf(table, 'clientId')}::text`,
      sessionId: `${columnOf(table, 'sessionId')}::text`,
      scopes: `to_json(${columnOf(table, 'scopes')})`,
      resources: `to_json(${columnOf(table, 'resources')})`,
      expired: `(${columnOf(table, 'expiresAt')} > ${currentTime(table, place)}) is not true`,
      revoked: `${columnOf(table, 'revoked')} is not null`,
      confirmation: `to_json(${columnOf(table, 'confirmation')})`,
    },
  })
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

interface Finding {
  readonly model: Model
  readonly table: Table
  readonly place: Place
  /** As SQL, of text, or of what is in an object of JSON, by name. */
  readonly answer: string | Readonly<Record<string, string>>
  /** What a row must be as well. */
  readonly condition?: string
}

/**
 * Where its table has no time zone, the name says by whose clock it ends what is in there: a function that was made for
 * another clock is not found, rather than called.
 */
function finding(
  called: string,
  parameter: string,
  { model, table, place, answer, condition }: Finding,
): OwnerFunction {
  const { schema, timestampZone = UTC } = place
  const isPlain = timestampZone === UTC || !isWallClock(endOf(table))
  const name = quote(schema, isPlain ? called : `${called} ${timestampZone}`)
  const secret = quote(table.tokenColumn ?? tokenFields[model] ?? '')
  const isText = typeof answer === 'string'
  const body = `
  select ${isText ? answer : jsonOf(answer)} from ${quote(schema, table.name)}
  where ${secret} = $1${condition === undefined ? '' : ` and ${condition}`}
`
  return { name, signature: `${name}(text)`, parameter, returns: isText ? 'text' : 'json', body }
}

function jsonOf(answer: Readonly<Record<string, string>>): string {
  const parts = Object.entries(answer).map(([key, sql]) => `${literal(key)}, ${sql}`)
  return `json_build_object(${parts.join(', ')})`
}

function has(table: Table | null, ...fields: readonly string[]): boolean {
  return fields.every((field) => table?.columns[field] !== undefined)
}

/** NULL for a column that the database lacks. */
function columnOf(table: Table, field: string): string {
  return has(table, field) ? quotedColumn(table, field) : 'null'
}

/** As the column holds it: the caller's TimeZone must not move the end of anything. */
function currentTime(table: Table, { timestampZone = UTC }: Place): string {
  return isWallClock(endOf(table)) ? `now() at time zone ${literal(timestampZone)}` : 'now()'
}

function endOf({ columns }: Table): StoredType | undefined {
  return columns.expiresAt?.type
}
