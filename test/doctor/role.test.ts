import pg from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createReadOnlyRole } from '../../src/demo/role.ts'
import { examine } from '../../src/doctor/doctor.ts'
import type { Finding } from '../../src/doctor/finding.ts'
import { asSuperuser, createDatabase, type Database } from '../support/database.ts'
import { layout } from '../support/layout.ts'
import { recordStatements } from '../support/sql-log.ts'

/* What the role may do that it should not. Each finding carries the SQL that mends it, and that SQL is tried. */

let database: Database
let url: string
let role: string
let group: string

beforeAll(async () => {
  database = await createDatabase()
  url = await createReadOnlyRole(database.url, layout)
  role = new URL(url).username
  group = `${role}_group`
  await asSuperuser(`create role ${group}`)
  await database.sql('create schema other create table notes (id text, body text)')
})

afterAll(async () => {
  await database.drop()
  await asSuperuser(`drop role ${role}`)
  await asSuperuser(`drop role ${group}`)
})

const CONCERNED = ['layout', 'role', 'grants', 'creation', 'functions']

async function findings(databaseUrl = url): Promise<readonly Finding[]> {
  const report = await examine({
    DATABASE_URL: databaseUrl,
    AUTH_ISSUER: 'https://auth.example.com',
  })
  return report.findings.filter(({ check, level }) => CONCERNED.includes(check) && level !== 'info')
}

test('the role that doctor prints has no more than it should', async () => {
  expect(await findings()).toEqual([])
})

test('nothing is changed: all that PostgreSQL is sent is SELECT', async () => {
  const statements = await recordStatements(database.name, () => findings())
  expect(statements.length).toBeGreaterThan(8)
  expect(statements.filter((text) => !/^\s*(SELECT|WITH)\b/.test(text))).toEqual([])
})

/** Statements with `ROLE` and `GROUP`, and what is then found. */
const cases: readonly (readonly [string, RegExp, Finding['level']])[] = [
  ['alter role ROLE bypassrls', /row-level security/, 'error'],
  ['alter role ROLE createrole', /may create roles/, 'error'],
  ['alter role ROLE createdb', /may create databases/, 'error'],
  ['alter role ROLE replication', /replication/, 'error'],
  ['grant pg_write_all_data to ROLE', /member of "pg_write_all_data"/, 'error'],
  ['grant GROUP to ROLE', /member of "\w+_group"/, 'warning'],
  ['alter role ROLE reset default_transaction_read_only', /not read-only by themselves/, 'warning'],
  ['grant insert on users to ROLE', /^INSERT on "public"."users" .* the role/, 'error'],
  ['grant update on members to public', /^UPDATE on .*"members" .* everybody \(PUBLIC\)/, 'error'],
  ['grant update (name) on users to ROLE', /^UPDATE on "public"."users"/, 'error'],
  ['grant delete, truncate on verifications to ROLE', /^DELETE, TRUNCATE on/, 'error'],
  ['grant trigger, references on jwks to ROLE', /^REFERENCES, TRIGGER on|^TRIGGER, REF/, 'error'],
  ['grant insert on other.notes to ROLE', /^INSERT on "other"."notes"/, 'error'],
  ['grant select (token) on sessions to ROLE', /does not read: "token"/, 'error'],
  ['grant select (password) on accounts to public', /PUBLIC.* does not read: "password"/, 'error'],
  ['grant select on jwks to ROLE', /does not read: "private_key"/, 'error'],
  ['grant select on verifications to ROLE', /"identifier", "value"/, 'error'],
  ['grant select on organizations to ROLE', /the whole of "public"."organizations"/, 'warning'],
  ['grant select on other.notes to public', /"other"."notes" .* everybody/, 'warning'],
  ['grant create on schema public to public', /CREATE on schema "public" .* everybody/, 'error'],
  ['grant create on schema other to ROLE', /CREATE on schema "other"/, 'error'],
  ['grant create on database DATABASE to ROLE', /CREATE on database/, 'error'],
  ['grant temporary on database DATABASE to ROLE', /^TEMPORARY on .* the role/, 'warning'],
  ['grant temporary on database DATABASE to public', /^TEMPORARY on .* everybody/, 'warning'],
  ['alter role ROLE connection limit 9', /may have 9 connections, .* opens up to 10/, 'warning'],
  [
    'grant execute on function pg_read_file(text) to ROLE',
    /pg_read_file\(text\) .* keeps/,
    'error',
  ],
  [
    'grant execute on function lo_import(text) to public',
    /lo_import\(text\) .* everybody/,
    'error',
  ],
  ['grant execute on function lo_create(oid) to ROLE', /lo_create\(oid\) .* fill the/, 'warning'],
  [
    `create function ask(a text, b text default '') returns text language sql security definer as 'select a'`,
    /^EXECUTE on public.ask\(a text, b text\) is granted to everybody .* rights of its owner/,
    'warning',
  ],
  ['create extension dblink', /^EXECUTE on public.dblink.* and \d+ more .* to others/, 'warning'],
]

test.each(cases)(
  '%s is found, and mended by the SQL of the finding',
  async (text, message, level) => {
    await database.sql(
      text.replace('ROLE', role).replace('GROUP', group).replace('DATABASE', database.name),
    )
    const found = await findings()
    expect(found).toEqual([
      {
        check: expect.any(String),
        level,
        message: expect.stringMatching(message),
        sql: expect.any(String),
      },
    ])
    await database.sql(found[0]?.sql ?? '')
    expect(await findings()).toEqual([])
  },
)

const harmful: readonly (readonly [string, RegExp])[] = [
  ['default_transaction_read_only = off', /not read-only by themselves/],
  ['statement_timeout = 0', /no statement is ever ended/],
  ["timezone = 'Europe/Berlin'", /times are read wrongly/],
  ["datestyle = 'SQL, DMY'", /times are read wrongly/],
  ['search_path = other, pg_catalog', /before pg_catalog/],
  ['row_security = off', /cannot be read/],
  ['session_preload_libraries = auto_explain', /loads that code/],
]

test.each([
  ['', ''],
  [' in database DATABASE', ' in this database'],
])('settings of the role%s that are against the printed ones are found', async (where, place) => {
  const set = (setting: string) =>
    `alter role ${role}${where.replace('DATABASE', database.name)} set ${setting}`
  await database.sql(harmful.map(([setting]) => set(setting)).join(';'))
  const found = await findings()
  expect(found).toEqual(
    harmful.map(([setting, why]) => ({
      check: 'role',
      level: 'warning',
      message: expect.stringMatching(
        new RegExp(`${setting.split(' ')[0]} = .* of its own${place}: .*${why.source}`, 'i'),
      ),
      sql: expect.any(String),
    })),
  )
  for (const { sql } of found) await database.sql(sql ?? '')
  expect(await findings()).toEqual([])
})

test('what is as it should be, said otherwise, or of no use to the role, is nothing to speak of', async () => {
  await database.sql(`
    alter role ${role} set default_transaction_read_only = true;
    alter role ${role} set statement_timeout = '5min';
    alter role ${role} set timezone = 'Etc/UTC';
    alter role ${role} set datestyle = 'ISO, DMY';
    alter role ${role} set search_path = pg_catalog, other;
    alter role ${role} in database postgres set row_security = off;
    alter role ${role} connection limit 10;
    create function mark() returns trigger language plpgsql security definer as 'begin return new; end';
    create function other.closed() returns int language sql security definer as 'select 1'`)
  expect(await findings()).toEqual([])
})

test('large objects of the role are found, and go by the SQL of the finding', async () => {
  await database.sql(
    `do $$ begin perform lo_create(4711); alter large object 4711 owner to ${role}; end $$`,
  )
  const found = await findings()
  expect(found).toEqual([
    expect.objectContaining({ message: expect.stringContaining('owns large objects (1)') }),
  ])
  await database.sql(found[0]?.sql ?? '')
  expect(await findings()).toEqual([])
})

test('a member of a role that may do more than grants allow is an error, however far that is', async () => {
  await database.sql(`grant pg_execute_server_program to ${group}; grant ${group} to ${role}`)
  const [found] = await findings()
  expect(found).toMatchObject({ check: 'role', level: 'error' })
  await database.sql(`${found?.sql}; revoke pg_execute_server_program from ${group}`)
  await database.sql(`alter role ${group} createrole; grant ${group} to ${role}`)
  expect(await findings()).toMatchObject([{ check: 'role', level: 'error' }])
  await database.sql(`revoke ${group} from ${role}; alter role ${group} nocreaterole`)
})

test('what is granted to a role that this one is a member of is found as well', async () => {
  await database.sql(`grant ${group} to ${role}`)
  await database.sql(`grant delete on sessions to ${group}`)
  const messages = (await findings()).map(({ message }) => message)
  expect(messages).toEqual([
    expect.stringContaining(`a member of "${group}"`),
    expect.stringMatching(
      `^DELETE on "public"."sessions" is granted to the role "${group}", of which`,
    ),
  ])
  for (const { sql } of await findings()) await database.sql(sql ?? '')
  expect(await findings()).toEqual([])
})

test('the owner of a table, and a superuser, are told to connect as a role of their own', async () => {
  await database.sql(`alter table teams owner to ${role}`)
  const [owner, ...others] = await findings()
  expect(others).toEqual([])
  expect(owner).toMatchObject({
    level: 'error',
    message: expect.stringContaining('owns public.teams'),
    sql: expect.stringMatching(/create role "identity_gateway"[\s\S]*grant select \("id"/),
  })
  await database.sql(`alter table teams owner to ${new URL(database.url).username}`)
  await database.sql(
    `grant select (id, organization_id, name, created_at, updated_at) on teams to ${role}`,
  )
  expect(await findings()).toEqual([])
  expect(await findings(database.url)).toEqual([
    expect.objectContaining({ level: 'error', message: expect.stringContaining('superuser') }),
  ])
})

test('a column that is not granted is found, with the grants that are missing', async () => {
  await database.sql(`revoke select (role) on members from ${role}`)
  const [found] = await findings()
  expect(found?.message).toContain('may not read "members"."role"')
  await database.sql(found?.sql ?? '')
  expect(await findings()).toEqual([])
})

test('names are quoted', async () => {
  const name = `o"dd ${database.name}`
  const quoted = pg.escapeIdentifier(name)
  await database.sql(`create table ${quoted} (id text)`)
  await database.sql(`grant insert, select on ${quoted} to ${role}`)
  const found = await findings()
  expect(found).toHaveLength(2)
  for (const { sql } of found) await database.sql(sql ?? '')
  expect(await findings()).toEqual([])
})
