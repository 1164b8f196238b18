import pg from 'pg'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createReadOnlyRole } from '../../src/demo/role.ts'
import { contract } from '../../src/layout/contract.ts'
import type { Layout } from '../../src/layout/layout.ts'
import { functionStatements, sessionFunction } from '../../src/layout/owner-functions.ts'
import { type Grantee, grantStatements, ownerScript } from '../../src/layout/owner-sql.ts'
import { asSuperuser, createDatabase, type Database } from '../support/database.ts'
import { layout } from '../support/layout.ts'

const absent = Object.fromEntries(Object.keys(layout).map((model) => [model, null])) as Layout
const refused = { code: '42501' }
const call = 'select public.identity_gateway_session_user($1) as user'

let database: Database
let gateway: pg.Client
const roles: string[] = []

beforeAll(async () => {
  database = await createDatabase()
  await database.sql(
    `insert into users (id, name, email, email_verified) values ('ada', 'Ada', 'ada@example.com', true)`,
  )
  await database.sql(
    `insert into sessions (id, user_id, token, expires_at, updated_at) values
      ('1', 'ada', 'live', now() + interval '1 minute', now()),
      ('2', 'ada', 'expired', now() - interval '1 second', now())`,
  )
  const url = await createReadOnlyRole(database.url, layout)
  roles.push(new URL(url).username)
  gateway = await connect(url)
  await gateway.query('set default_transaction_read_only = off')
})

afterAll(async () => {
  await gateway.end()
  await database.drop()
  for (const role of roles) await asSuperuser(`drop role ${role}`)
})

async function connect(url: string): Promise<pg.Client> {
  const client = new pg.Client(url)
  await client.connect()
  return client
}

/** Somebody else with an account in this PostgreSQL. */
async function connectAs(role: string): Promise<pg.Client> {
  await asSuperuser(`create role ${role} login password 'secret'`)
  roles.push(role)
  const url = new URL(database.url)
  url.username = role
  url.password = 'secret'
  return connect(url.href)
}

async function userOf(token: string | null, client = gateway): Promise<unknown> {
  const { rows } = await client.query(call, [token])
  return rows[0].user
}

test('names are quoted, and a table that the database lacks is left out', () => {
  const User = { name: 'User "x"', columns: { id: { name: 'userId', type: 'text' } } } as const
  const grantee = { role: 'ro-le', schema: 'auth' }
  expect(grantStatements({ ...absent, User }, grantee)).toEqual([
    'alter role "ro-le" set default_transaction_read_only = on',
    `alter role "ro-le" set timezone = 'UTC'`,
    `alter role "ro-le" set datestyle = 'ISO'`,
    'alter role "ro-le" set statement_timeout = 2000',
    expect.stringContaining('grant connect on database %I'),
    'grant usage on schema "auth" to "ro-le"',
    'revoke create on schema "auth" from "ro-le"',
    'grant select ("userId") on "auth"."User ""x""" to "ro-le"',
    expect.stringContaining(`in (''User "x"'')`),
  ])
  expect(sessionStatements({ ...absent, User }, grantee)).toEqual([])
})

describe('the function', () => {
  test('answers the user of a live session, and nothing for any other token', async () => {
    expect(await userOf('live')).toBe('ada')
    for (const token of ['expired', 'unknown', '', '%', `live' or '1'='1`, null])
      expect(await userOf(token)).toBeNull()
  })

  test.each([
    'select token from sessions',
    'select * from sessions',
    `select id from sessions where token = 'live'`,
    'select sessions from sessions',
    'select id from sessions order by token',
    'copy sessions to stdout',
    'create view tokens as select token from sessions',
    'create or replace function public.identity_gateway_session_user(t text) returns text language sql as $$ select t $$',
    'alter function public.identity_gateway_session_user(text) reset search_path',
  ])('leaves the role without a way to tokens: %s', async (statement) => {
    await expect(gateway.query(statement)).rejects.toMatchObject(refused)
  })

  test('is for nobody else', async () => {
    const stranger = await connectAs(`stranger_${database.name}`)
    await expect(userOf('live', stranger)).rejects.toMatchObject(refused)
    await stranger.end()
  })

  test('is for nobody else, whomever default privileges let call new functions', async () => {
    const anon = `anon_${database.name}`
    const stranger = await connectAs(anon)
    await database.sql('drop function public.identity_gateway_session_user(text)')
    await database.sql(
      `alter default privileges in schema public grant execute on functions to ${anon}`,
    )
    for (const statement of sessionStatements(layout, { role: roles[0] ?? '', schema: 'public' }))
      await database.sql(statement)
    await expect(userOf('live', stranger)).rejects.toMatchObject(refused)
    expect(await userOf('live')).toBe('ada')
    await database.sql(
      `alter default privileges in schema public revoke execute on functions from ${anon}`,
    )
    await stranger.end()
  })

  test('does not look at what the caller puts in its way', async () => {
    const role = roles[0]
    await database.sql(`create schema evil authorization ${role}`)
    await database.sql(`grant temporary on database ${database.name} to ${role}`)
    await gateway.query(`
      create table evil.sessions (user_id text, token text, expires_at timestamptz);
      insert into evil.sessions values ('forged', 'forged', 'infinity'), ('forged', 'live', 'infinity');
      create temporary table sessions as table evil.sessions;
      create function evil.now() returns timestamptz language sql as $$ select '-infinity'::timestamptz $$;
      create function evil.always(text, text) returns boolean language sql as $$ select true $$;
      create operator evil.= (leftarg = text, rightarg = text, function = evil.always);
      create domain evil.text as varchar(1);
      set search_path = evil, pg_temp, public, pg_catalog`)
    expect((await gateway.query('select token from sessions')).rows).toHaveLength(2)
    expect(await userOf('forged')).toBeNull()
    expect(await userOf('expired')).toBeNull()
    expect(await userOf('live')).toBe('ada')
    await gateway.query('reset search_path')
  })

  test('is taken over from whoever had made one under its name', async () => {
    await database.sql('drop function identity_gateway_session_user(text)')
    await database.sql('grant create on schema public to public')
    const squatter = await connectAs(`squatter_${database.name}`)
    const forge = `create or replace function public.identity_gateway_session_user(session_token text)
      returns text language sql as $$ select 'ada' $$`
    await squatter.query(forge)
    for (const statement of sessionStatements(layout, { role: roles[0] ?? '', schema: 'public' }))
      await database.sql(statement)
    await expect(squatter.query(forge)).rejects.toMatchObject(refused)
    await expect(userOf('live', squatter)).rejects.toMatchObject(refused)
    expect(await userOf('unknown')).toBeNull()
    expect(await userOf('live')).toBe('ada')
    await squatter.end()
    await database.sql('revoke create on schema public from public')
  })
})

test('the script makes the role, and can be run again', async () => {
  const role = `Script ${database.name}`
  roles.push(pg.escapeIdentifier(role))
  const script = ownerScript(layout, { role, schema: 'public' })
  await database.sql(script)
  await database.sql(script)
  await database.sql(`alter role ${pg.escapeIdentifier(role)} password 'secret'`)
  const url = new URL(database.url)
  url.username = role
  url.password = 'secret'
  const client = await connect(url.href)
  expect(await userOf('live', client)).toBe('ada')
  expect((await client.query('select id from users')).rows).toEqual([{ id: 'ada' }])
  await expect(client.query('select token from sessions')).rejects.toMatchObject(refused)
  await expect(client.query('delete from sessions')).rejects.toMatchObject({ code: '25006' })
  await client.end()
})

test('the role may connect where everybody may not', async () => {
  const role = `guest_${database.name}`
  const connecting = () => connectAs(role)
  await database.sql(`revoke connect on database ${database.name} from public`)
  await expect(connecting()).rejects.toMatchObject(refused)
  for (const statement of grantStatements(layout, { role, schema: 'public' }))
    await database.sql(statement)
  const url = Object.assign(new URL(database.url), { username: role, password: 'secret' })
  const client = await connect(url.href)
  await client.end()
  await database.sql(`grant connect on database ${database.name} to public`)
})

test('the script leaves out what is not needed', () => {
  const grantee = { role: 'gateway', schema: 'public' }
  const whole = ownerScript(layout, grantee)
  const withoutTriggers = ownerScript(layout, grantee, ['triggers'])
  const withoutSessions = ownerScript(layout, grantee, ['sessions'])
  expect(whole).toMatch(/create or replace function .*_session_user"[\s\S]*create trigger/)
  expect(withoutTriggers).not.toMatch(/trigger/i)
  expect(withoutSessions).not.toMatch(/_session_user"|AUTH_SESSIONS/)
  expect(withoutTriggers.length + withoutSessions.length).toBe(
    whole.length + ownerScript(layout, grantee, ['sessions', 'triggers']).length,
  )
})

test('the script makes a function for API keys where a table of them says whose they are, and unless it is left out', () => {
  const grantee = { role: 'gateway', schema: 'public' }
  const column = (name: string, type: 'text' | 'timestamp' | 'number' | 'boolean') =>
    [name, { name, type }] as const
  const columns = Object.fromEntries([
    column('id', 'text'),
    column('userId', 'text'),
    column('enabled', 'boolean'),
    column('expiresAt', 'timestamp'),
    column('remaining', 'number'),
  ])
  const Apikey = { name: 'api"keys', columns, tokenColumn: 'hash' }
  const script = ownerScript({ ...layout, Apikey }, grantee)
  expect(script).toMatch(/api_key"\(key_hash text\)[\s\S]* from "public"\."api""keys"/)
  expect(script).toMatch(
    /"userId"::text[\s\S]*now\(\) at time zone ''UTC''[\s\S]*where "hash" = \$1/,
  )
  expect(script).not.toMatch(/grant select \([^)]*"hash"/)
  expect(ownerScript({ ...layout, Apikey }, grantee, ['api-keys'])).not.toMatch(
    /_api_key|AUTH_API_/,
  )
  for (const lacking of ['userId', 'enabled', 'expiresAt', 'remaining']) {
    const { [lacking]: _, ...others } = columns
    const less = { ...Apikey, columns: others }
    expect(ownerScript({ ...layout, Apikey: less }, grantee)).not.toMatch(/_api_key/)
  }
})

test('the script makes a function for opaque access tokens where all is there that may end them', () => {
  const grantee = { role: 'gateway', schema: 'public' }
  const names = Object.keys(contract.OauthAccessToken.columns)
  const columns = Object.fromEntries(
    names.map((name) => [name, { name: `${name}_`, type: 'text' as const }]),
  )
  const OauthAccessToken = { name: 'granted', columns }
  const script = ownerScript({ ...layout, OauthAccessToken }, grantee)
  expect(script).toMatch(/_opaque_token"\(token_hash text\)[\s\S]* from "public"\."granted"/)
  expect(script).toMatch(/where "token" = \$1/)
  expect(script).not.toMatch(/grant select \([^)]*"token"/)
  const without = ownerScript({ ...layout, OauthAccessToken }, grantee, ['opaque-tokens'])
  expect(without).not.toMatch(/_opaque_token|OAUTH_OPAQUE/)
  for (const lacking of names) {
    const { [lacking]: _, ...others } = columns
    const less = { ...OauthAccessToken, columns: others }
    expect(ownerScript({ ...layout, OauthAccessToken: less }, grantee)).not.toMatch(/_opaque_token/)
  }
})

test('the script takes from everybody only what it is told to', () => {
  const grantee = { role: 'gateway', schema: 'public' }
  const usual = ownerScript(layout, grantee)
  const closing = ownerScript(layout, grantee, [], { revokePublic: true })
  expect(usual).toMatch(/^-- .*--revoke-public takes that$/m)
  expect(usual).not.toMatch(/revoke %s from public|lo_create/)
  expect(closing).toMatch(/revoke %s from public[\s\S]*create trigger/)
})

test('the script of a database without sessions says nothing of them', () => {
  const script = ownerScript({ ...layout, Session: null }, { role: 'gateway', schema: 'public' })
  expect(script).not.toMatch(/session/i)
  expect(script).toMatch(/;\ncommit;\n$/)
})

test('columns without a time zone hold UTC, whatever the caller’s clock shows', async () => {
  const schema = `Schéma "of" 'auth'`
  const quoted = pg.escapeIdentifier(schema)
  const Session = {
    name: `se"ssion's`,
    columns: {
      userId: { name: 'userId', type: 'uuid' },
      expiresAt: { name: 'expiresAt', type: 'timestamp' },
    },
  } as const
  const table = `${quoted}.${pg.escapeIdentifier(Session.name)}`
  await database.sql(`create schema ${quoted}`)
  await database.sql(
    `create table ${table} (token text, "userId" uuid, "expiresAt" timestamp, session_token text)`,
  )
  await database.sql(`insert into ${table} values
    ('live', gen_random_uuid(), (now() at time zone 'UTC') + interval '1 minute', 'live'),
    ('expired', gen_random_uuid(), (now() at time zone 'UTC') - interval '1 minute', 'expired')`)
  const grantee = { role: roles[0] ?? '', schema }
  for (const statement of [
    ...grantStatements({ ...absent, Session }, grantee),
    ...sessionStatements({ ...absent, Session }, grantee),
  ])
    await database.sql(statement)
  const select = `select ${quoted}.identity_gateway_session_user($1) as user`
  for (const zone of ['UTC', 'Asia/Tokyo', 'America/Los_Angeles']) {
    await gateway.query(`set timezone = '${zone}'`)
    const [live, expired] = await Promise.all(
      ['live', 'expired'].map(async (token) => (await gateway.query(select, [token])).rows[0].user),
    )
    expect(live).toMatch(/^[0-9a-f-]{36}$/)
    expect(expired).toBeNull()
  }
})

function sessionStatements(layout: Layout, grantee: Grantee) {
  return functionStatements(sessionFunction(layout, grantee), grantee.role)
}
