import { afterEach, beforeEach, expect, test } from 'vitest'
import { canonicalise } from '../../src/introspection/canonicalise.ts'
import { openCatalogPool, pullSchema } from '../../src/introspection/engine.ts'
import { asSuperuser, createDatabase, type Database } from '../support/database.ts'
import { poolers, startPoolerImitation } from '../support/pooler-imitation.ts'
import { migrate } from './migrate.ts'

let database: Database
beforeEach(async () => {
  database = await createDatabase()
})
afterEach(() => database.drop())

test('whole numbers are ids, and no other numbers', async () => {
  const serial = await createDatabase('empty')
  await migrate(serial.url, { advanced: { database: { generateId: 'serial' } } })
  expect(await problems(serial.url)).toEqual([])
  await serial.sql('alter table "user" drop constraint user_pkey cascade, alter id drop identity')
  await serial.sql('alter table "user" alter id type numeric')
  expect(await problems(serial.url)).toEqual([
    expect.stringMatching(
      /^User\.id: the column "user"\."id" is of Prisma type Decimal Decimal; it must be text, .*uuid, .*integer\.$/,
    ),
  ])
  await serial.drop()
})

test('every problem is named at once', async () => {
  await database.sql('alter table users drop column email_verified')
  await database.sql('alter table organizations alter created_at type text')
  expect(await problems()).toEqual([
    expect.stringMatching(/^User: the table "users" has no column for emailVerified\./),
    expect.stringMatching(
      /^Organization.createdAt: .*"organizations"."created_at" is of Prisma type String; it must be timestamptz, timestamp, date\./,
    ),
    expect.stringMatching(/^Member: .* points to User, for which no table fits\./),
  ])
})

test('two tables that fit are ambiguous, until the role may read one alone', async () => {
  await database.sql('create table "user" (like users including all)')
  expect(await problems()).toEqual([
    expect.stringMatching(/^User: the tables "user", "users" all fit\. Introspect as a role/),
    expect.stringMatching(/^Member: .* points to User/),
  ])
  const role = `${database.name}_reader`
  await asSuperuser(`create role ${role} login password 'reader'`)
  await database.sql(`grant select on all tables in schema public to ${role}`)
  await database.sql(`revoke select on "user" from ${role}`)
  const url = new URL(database.url)
  url.username = role
  url.password = 'reader'
  expect(await problems(url.href)).toEqual([])
  await database.sql(`drop owned by ${role}`)
  await asSuperuser(`drop role ${role}`)
})

test('a column that is there twice is ambiguous', async () => {
  await database.sql('alter table users add "emailVerified" boolean')
  expect(await problems()).toEqual([
    expect.stringMatching(
      /^User.emailVerified: .*"email_verified" has a double, "emailVerified"\./,
    ),
  ])
})

test('of two tables that are named alike, the one with the columns is taken', async () => {
  await database.sql('create table account (id text primary key, balance numeric)')
  expect(await problems()).toEqual([])
})

test.each([
  '',
  'options=-c%20search_path%3Dpublic',
  'options=-c%20default_transaction_read_only%3Doff',
  'options=--default-transaction-read-only%3Doff&application_name=mine',
])('a misspelt PostgreSQL schema is made by nobody, with %j in the URL', async (parameters) => {
  const url = `${database.url}?${parameters}`
  expect((await canonicalise(await pullSchema(url, 'pubic'))).problems).not.toEqual([])
  const schemas = await database.sql<{ name: string }>(
    "select nspname as name from pg_namespace where nspname like 'pub%'",
  )
  expect(schemas).toEqual([{ name: 'public' }])
  expect(await problems(url)).toEqual([])
})

test.each([...poolers, 'Supavisor'] as const)(
  'behind %s, all is one transaction that only reads',
  async (name) => {
    for (const ownSessions of [true, false]) {
      const pooler = await startPoolerImitation(name, { ownSessions })
      const url = pooler.through(database.url)
      expect(await problems(url)).toEqual([])
      const pool = await openCatalogPool(url)
      await expect(pool.query('create table made ()')).rejects.toThrow('read-only transaction')
      await pool.end()
      pooler.stop()
    }
  },
)

async function problems(url = database.url, schema = 'public'): Promise<readonly string[]> {
  return (await canonicalise(await pullSchema(url, schema))).problems
}
