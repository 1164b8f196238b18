import { changeTriggerStatements } from './change-trigger-sql.ts'
import type { Layout } from './layout.ts'
import { functionStatements, type OwnerFunction, ownerFunctions } from './owner-functions.ts'
import { publicStatements } from './public-sql.ts'
import { literal, quote } from './quote.ts'
import { triggerStatements } from './trigger-sql.ts'

/** Who is granted what where. Names are as they are in the catalog, unquoted. */
export interface Grantee {
  readonly role: string
  /** The PostgreSQL schema of Better Auth's tables. */
  readonly schema: string
  /** The longest statement; the gateway's own default when not given. */
  readonly statementTimeoutMs?: number
  /** By whose clock columns without a time zone were written; UTC when not given. */
  readonly timestampZone?: string
}

/** SQL that lets a role read the columns the gateway reads, and nothing else: no secrets, no writing. */
export function grantStatements(layout: Layout, grantee: Grantee): string[] {
  const { role, schema } = grantee
  const tables = Object.values(layout).filter((table) => table !== null)
  return [
    ...settingStatements(grantee),
    databaseStatement(grantee),
    `grant usage on schema ${quote(schema)} to ${quote(role)}`,
    `revoke create on schema ${quote(schema)} from ${quote(role)}`,
    ...tables.map((table) => {
      const columns = Object.values(table.columns).map(({ name }) => quote(name))
      return `grant select (${columns.join(', ')}) on ${quote(schema, table.name)} to ${quote(role)}`
    }),
    policyStatement(
      tables.map(({ name }) => name),
      grantee,
    ),
  ]
}

/**
 * Everybody may connect, unless the owner of the database has taken that away. What is set for the role in this database
 * would go before what is set for it everywhere.
 */
function databaseStatement(grantee: Grantee): string {
  const each = [
    'grant connect on database %I to %I',
    'revoke create, temporary on database %I from %I',
    ...settingsOf(grantee).map(([name]) => `alter role %2$I in database %1$I reset ${name}`),
  ]
  const run = (statement: string) =>
    `execute format(${literal(statement)}, current_database(), ${literal(grantee.role)});`
  return `do ${literal(`begin ${each.map(run).join('\n  ')} end`)}`
}

/** Where row-level security is on, lets the role read every row. A policy of this name that is there already stays. */
function policyStatement(tables: readonly string[], { role, schema }: Grantee): string {
  return `do ${literal(`declare secured text;
begin
  for secured in
    select c.oid::regclass::text from pg_catalog.pg_class as c
    join pg_catalog.pg_namespace as n on n.oid = c.relnamespace
    where n.nspname = ${literal(schema)} and c.relname in (${tables.map(literal).join(', ')}) and c.relrowsecurity
  loop
    begin
      execute format('create policy %I on %s for select to %I using (true)', ${literal(`${role} reads`)}, secured, ${literal(role)});
    exception when duplicate_object then null;
    end;
  end loop;
end`)}`
}

/**
 * The settings that the gateway asks for when it connects, as defaults of the role: a pooler that shares sessions does
 * not pass on what is asked for.
 */
export function settingStatements(grantee: Grantee): string[] {
  return settingsOf(grantee).map(
    ([name, value]) => `alter role ${quote(grantee.role)} set ${name} = ${value}`,
  )
}

function settingsOf({ statementTimeoutMs = 2000 }: Grantee) {
  return [
    ['default_transaction_read_only', 'on'],
    ['timezone', "'UTC'"],
    ['datestyle', "'ISO'"],
    ['statement_timeout', statementTimeoutMs],
  ] as const
}

/** Makes the role unless it is there, and lets it read. Can be run again. */
export function roleStatements(layout: Layout, grantee: Grantee): string[] {
  const create = `create role ${quote(grantee.role)} login`
  return [
    `do ${literal(`begin ${create}; exception when duplicate_object then null; end`)}`,
    ...grantStatements(layout, grantee),
    temporaryFilesStatement(grantee),
  ]
}

/** The one setting of these that the role cannot change itself, because superusers alone may. */
function temporaryFilesStatement({ role }: Grantee): string {
  const limit = `alter role ${quote(role)} set temp_file_limit = '1GB'`
  return `do ${literal(`begin
  ${limit};
exception when insufficient_privilege then
  raise notice 'For a superuser to run: %', ${literal(limit)};
end`)}`
}

/** What only some gateways need. */
export type OptionalPart = 'sessions' | 'opaque-tokens' | 'api-keys' | 'triggers'

/** All of it as a script, which can be run again. */
export function ownerScript(
  layout: Layout,
  grantee: Grantee,
  without: readonly OptionalPart[] = [],
  { revokePublic = false }: { readonly revokePublic?: boolean | undefined } = {},
): string {
  const { sessions, sessionIds, opaqueTokens, apiKeys } = ownerFunctions(layout, grantee)
  const optional = (name: OptionalPart, about: string, statements: readonly string[]) =>
    without.includes(name) ? '' : part(about, statements)
  const lookup = (name: OptionalPart, about: string, ...made: (OwnerFunction | null)[]) =>
    optional(
      name,
      about,
      made.flatMap((one) => functionStatements(one, grantee.role)),
    )
  return `-- Run this as the owner of Better Auth's tables, with the right to create and alter roles (CREATEROLE).
-- It lets the role read what the gateway reads, and nothing else. Give the role a password afterwards.
begin;
${roleStatements(layout, grantee).join(';\n')};
${[
  revokePublic ? part(aboutPublic, publicStatements()) : aboutEverybody,
  lookup('sessions', aboutSessions, sessions, sessionIds),
  lookup('opaque-tokens', aboutOpaqueTokens, opaqueTokens),
  lookup('api-keys', aboutApiKeys, apiKeys),
  optional('triggers', aboutTriggers, [
    ...triggerStatements(layout, grantee.schema),
    ...changeTriggerStatements(layout, grantee.schema),
  ]),
].join('')}commit;
`
}

function part(about: string, statements: readonly string[]): string {
  return statements.length === 0 ? '' : `${about}${statements.join(';\n')};\n`
}

const aboutEverybody = `-- What PostgreSQL lets everybody do, the role may do as well: make temporary tables and large objects. --revoke-public takes that
-- from everybody, so also from other roles.
`

const aboutPublic = `-- Whoever else makes temporary tables here, or large objects, is to be granted that by name. Those that are not yours to take stay,
-- with a warning: functions of PostgreSQL belong to a superuser.
`

const aboutTriggers = `-- PERMISSION_EVENTS=postgres needs the rest (--without-triggers leaves it out). With each statement that changes memberships,
-- roles or bans, PostgreSQL tells the gateway whose permissions it forgets; and with each that changes other things as well, of
-- whom, for those who subscribe to changes.
`

const aboutSessions = `-- AUTH_SESSIONS=on needs this (--without-sessions leaves it out). It finds whose session a token is, and which; tokens themselves stay out of
-- reach. Whoever else may call the functions, also by default privileges, no longer may.
`

const aboutOpaqueTokens = `-- OAUTH_OPAQUE_TOKENS=on needs this (--without-opaque-tokens leaves it out). It finds whom an access token speaks for by its hash, and what
-- may end it; tokens and their hashes stay out of reach.
`

const aboutApiKeys = `-- AUTH_API_KEYS=on needs this (--without-api-keys leaves it out). It finds whose key a hash is of, and what it may do; keys and their
-- hashes stay out of reach.
`
