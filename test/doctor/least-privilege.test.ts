import pg from 'pg'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { runCli } from '../support/cli.ts'
import { asSuperuser } from '../support/database.ts'
import { gatewayFor } from '../support/gateway.ts'
import { type Identity, startIdentity } from '../support/identity.ts'
import { layout } from '../support/layout.ts'
import { recordStatements } from '../support/sql-log.ts'
import { createSmallWorld, runSuite, type SmallWorld } from '../support/suite.ts'
import { type ServiceIssuer, startServiceIssuer } from '../support/tokens.ts'

/* As the role that `doctor --sql` prints: everything that the gateway asks works, and nothing else does. */

let identity: Identity
let world: SmallWorld
let services: ServiceIssuer
let role: string
let url: string
let client: pg.Client

beforeAll(async () => {
  identity = await startIdentity()
  services = await startServiceIssuer()
  world = await createSmallWorld(identity)
  role = `least ${identity.database.name}`
  const { code, stdout, stderr } = await runCli(['doctor', '--sql', '--role', role])
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  await identity.sql(stdout)
  await identity.sql(`alter role ${pg.escapeIdentifier(role)} password 'secret'`)
  const address = new URL(identity.ownerUrl)
  address.username = role
  address.password = 'secret'
  url = address.href
  client = new pg.Client(url)
  await client.connect()
})

afterAll(async () => {
  await client.end()
  await services.stop()
  await identity.stop()
  await asSuperuser(`drop role ${pg.escapeIdentifier(role)}`)
})

/** In the layout, but in nothing that can be asked. */
const UNUSED = ['teams.updated_at', 'organization_roles.updated_at', 'jwks.created_at', 'jwks.crv']

test('every query of the suite works, and together they read the columns that are granted', async () => {
  const gateway = gatewayFor(identity, {
    DATABASE_URL: url,
    ...services.environment,
  })
  const token = await services.token()
  const statements = await recordStatements(identity.database.name, async () => {
    const answers = await runSuite(
      ({ query, ...options }) => gateway.graphql(query, options),
      world,
      token,
    )
    expect(answers.permissions).toMatchObject({
      can: true,
      checkPermissions: [{}, { allowed: true }],
    })
  })
  await gateway.close()
  const unread = Object.values(layout).flatMap((table) =>
    Object.values(table?.columns ?? {})
      .filter(({ name }) =>
        statements.every(
          (text) => !text.includes(`"${table?.name}"`) || !text.includes(`"${name}"`),
        ),
      )
      .map(({ name }) => `${table?.name}.${name}`),
  )
  expect(unread).toEqual(UNUSED)
})

interface Column {
  readonly table: string
  readonly column: string
}

/** Every table of the database outside of the catalog, and every column of it, so that new ones are tried as well. */
function columns(): Promise<readonly Column[]> {
  return identity.sql<{ table: string; column: string }>(`
    select format('%I.%I', table_schema, table_name) as table, column_name as column
    from information_schema.columns where table_schema not in ('pg_catalog', 'information_schema') order by 1, 2`)
}

async function codeOf(statement: string): Promise<string> {
  try {
    await client.query(statement)
    return 'done'
  } catch (error) {
    return (error as { code: string }).code
  }
}

describe.each([
  ['as it connects', 'on', '25006'],
  ['after it has turned its read-only default off', 'off', '42501'],
])('%s, PostgreSQL refuses', (_, setting, refusal) => {
  beforeAll(() => client.query(`set default_transaction_read_only = ${setting}`))

  test('every kind of write, on every table and column', async () => {
    const all = await columns()
    const tables = [...new Set(all.map(({ table }) => table))]
    expect(tables.length).toBeGreaterThan(11)
    const writes = [
      ...tables.flatMap((table) => [
        `insert into ${table} default values`,
        `delete from ${table}`,
        `delete from ${table} where false`,
        `truncate ${table}`,
        `do $$ begin lock table ${table} in exclusive mode; end $$`,
        `select 1 from ${table} for update`,
        `alter table ${table} add column extra text`,
        `drop table ${table}`,
        `create trigger t before insert on ${table} for each row execute function suppress_redundant_updates_trigger()`,
        `create index on ${table} ((1))`,
        `copy ${table} from program 'echo'`,
        `grant select on ${table} to public`,
        `comment on table ${table} is ''`,
      ]),
      ...all.map(
        ({ table, column }) => `update ${table} set ${pg.escapeIdentifier(column)} = null`,
      ),
      'create table public.mine (id text)',
      'create schema mine',
      'create function public.mine() returns int language sql as $$ select 1 $$',
      'create role mine',
      "do $$ begin execute 'create table public.mine (id text)'; end $$",
    ]
    const outcomes = await inTurn(writes)
    const passed = outcomes.filter(([, code]) => code !== refusal && code !== '42501')
    expect(passed).toEqual([])
    expect(outcomes.filter(([, code]) => code === refusal).length).toBeGreaterThan(50)
  })

  test('every column that the gateway does not read, whichever way it is asked for', async () => {
    const read = new Set(
      Object.values(layout).flatMap((table) =>
        Object.values(table?.columns ?? {}).map(({ name }) => `public.${table?.name}.${name}`),
      ),
    )
    const all = await columns()
    const secret = all.filter(({ table, column }) => !read.has(`${table}.${column}`))
    const names = secret.map(({ table, column }) => `${table}.${column}`)
    for (const name of [
      'public.accounts.password',
      'public.accounts.access_token',
      'public.accounts.refresh_token',
      'public.accounts.id_token',
      'public.jwks.private_key',
      'public.sessions.token',
      'public.two_factors.secret',
      'public.verifications.value',
    ])
      expect(names).toContain(name)
    const selects = secret.flatMap(({ table, column }) => {
      const name = pg.escapeIdentifier(column)
      return [
        `select ${name} from ${table}`,
        `select count(${name}) from ${table}`,
        `select 1 from ${table} where ${name} is null`,
        `select 1 from ${table} order by ${name}`,
        `select * from ${table}`,
        `select t from ${table} as t`,
        `copy (select ${name} from ${table}) to stdout`,
      ]
    })
    const outcomes = await inTurn(selects)
    expect(outcomes.filter(([, code]) => code !== '42501')).toEqual([])
    expect(await codeOf(`select id from public.sessions`)).toBe('done')
  })
})

test('a column that Better Auth adds later is refused as well', async () => {
  await identity.sql('alter table users add column social_security_number text')
  await client.query('set default_transaction_read_only = off')
  expect(await codeOf('select social_security_number from users')).toBe('42501')
  expect(await codeOf(`update users set social_security_number = ''`)).toBe('42501')
  await identity.sql('alter table users drop column social_security_number')
})

async function inTurn(
  statements: readonly string[],
): Promise<readonly (readonly [string, string])[]> {
  const outcomes: (readonly [string, string])[] = []
  for (const statement of statements) outcomes.push([statement, await codeOf(statement)])
  return outcomes
}
