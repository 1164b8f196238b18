import pg from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { examine } from '../../src/doctor/doctor.ts'
import { ownerScript } from '../../src/layout/owner-sql.ts'
import { asSuperuser, createDatabase, type Database } from '../support/database.ts'
import { layout } from '../support/layout.ts'

/*
 * What docs/database-role.md says that somebody could do who has the role's password: tried as the role, before and after
 * the owner, who is no superuser, and then a superuser have run the SQL that closes it.
 */

let database: Database
let owner: pg.Client
let intruder: pg.Client
const role = 'broken-into'
const ownerRole = 'owner-of-broken-into'
const grantee = { role, schema: 'public' }
const closing = ownerScript(layout, grantee, [], { revokePublic: true })
const notices: string[] = []

beforeAll(async () => {
  database = await createDatabase()
  await asSuperuser(`create role "${ownerRole}" login createrole password 'secret'`)
  await asSuperuser(`alter database ${database.name} owner to "${ownerRole}"`)
  for (const table of Object.values(layout))
    if (table) await database.sql(`alter table ${table.name} owner to "${ownerRole}"`)
  owner = await connectAs(ownerRole)
  owner.on('notice', ({ message }) => notices.push(message ?? ''))
  await owner.query(ownerScript(layout, grantee))
  await owner.query(`alter role "${role}" password 'secret'`)
  intruder = await connectAs(role)
  await intruder.query('set default_transaction_read_only = off')
})

afterAll(async () => {
  await intruder.end()
  await owner.end()
  await database.drop()
  for (const name of [role, ownerRole]) await asSuperuser(`drop role "${name}"`)
})

async function connectAs(name: string): Promise<pg.Client> {
  const address = Object.assign(new URL(database.url), { username: name, password: 'secret' })
  const client = new pg.Client(address.href)
  await client.connect()
  return client
}

async function told(): Promise<readonly string[]> {
  const address = Object.assign(new URL(database.url), { username: role, password: 'secret' })
  const { findings } = await examine({
    DATABASE_URL: address.href,
    AUTH_ISSUER: 'https://auth.example.com',
  })
  return findings.flatMap(({ check, level, message }) =>
    ['role', 'creation', 'functions'].includes(check) ? `${level}: ${message}` : [],
  )
}

/** Whether PostgreSQL lets the role: what it does is taken back. */
async function may(statement: string): Promise<boolean> {
  try {
    await intruder.query('begin')
    await intruder.query(statement)
    return true
  } catch (error) {
    if ((error as { code: string }).code !== '42501') throw error
    return false
  } finally {
    await intruder.query('rollback')
  }
}

/** What nothing that is printed closes. */
const REMAINS = [
  'select email from users',
  'set statement_timeout = 0',
  `alter role "${role}" set default_transaction_read_only = off`,
  `alter role "${role}" password 'another'`,
  'select pg_advisory_xact_lock(1)',
  `select pg_notify('identity_gateway_invalidate', '{"all":true}')`,
]
const FILES = `alter role "${role}" set temp_file_limit = -1`
const TEMPORARY = 'create temporary table mine (id text)'
const LARGE_OBJECTS = ['lo_creat(-1)', 'lo_create(0)', `lo_from_bytea(0, '')`].map(
  (call) => `select ${call}`,
)

test('the owner, who is no superuser, is told what is left to one', async () => {
  expect(notices.filter((notice) => !notice.startsWith('trigger '))).toEqual([
    `For a superuser to run: alter role "${role}" set temp_file_limit = '1GB'`,
  ])
})

test('by itself the role may do what PostgreSQL lets everybody do, and doctor tells of it', async () => {
  for (const statement of [TEMPORARY, ...LARGE_OBJECTS, ...REMAINS])
    expect(await may(statement), statement).toBe(true)
  expect(await told()).toEqual([
    expect.stringMatching(/^warning: TEMPORARY on database .* everybody \(PUBLIC\)/),
    expect.stringMatching(/^info: EXECUTE on pg_catalog.lo_creat\(integer\), .*lo_create\(oid\), /),
  ])
})

test('the owner takes temporary tables from everybody, and large objects stay, with a warning', async () => {
  notices.length = 0
  await owner.query(closing)
  expect(await may(TEMPORARY)).toBe(false)
  expect(await may(LARGE_OBJECTS[0] ?? '')).toBe(true)
  expect(notices).toContain('no privileges could be revoked for "lo_create"')
  expect(await told()).toEqual([expect.stringMatching(/^info: EXECUTE on pg_catalog.lo_creat/)])
})

test('a superuser takes large objects too, and limits temporary files, which the role cannot change', async () => {
  await database.sql(closing)
  await database.sql(closing)
  for (const statement of [TEMPORARY, ...LARGE_OBJECTS, FILES, 'reset temp_file_limit'])
    expect(await may(statement), statement).toBe(false)
  await intruder.query(`alter role "${role}" reset all`)
  expect(await told()).toEqual([expect.stringMatching(/^warning: Sessions .* not read-only/)])
  await intruder.query(
    `alter role "${role}" in database ${database.name} set default_transaction_read_only = off`,
  )
  await intruder.query(`alter role "${role}" set statement_timeout = 0`)
  expect(await told()).toEqual([
    expect.stringMatching(/^warning: .* default_transaction_read_only = off of its own in this/),
    expect.stringMatching(/^warning: .* statement_timeout = 0 of its own: /),
  ])
  const anew = await connectAs(role)
  expect((await anew.query('show temp_file_limit')).rows).toEqual([{ temp_file_limit: '1GB' }])
  await anew.end()
  await database.sql(closing)
  expect(await told()).toEqual([])
})

test('until when the password is good is told, where that ends', async () => {
  await database.sql(`alter role "${role}" valid until '2999-01-01 00:00Z'`)
  expect(await told()).toEqual([
    `info: The password of the role "${role}" is accepted until 2999-01-01T00:00:00.000Z.`,
  ])
  await database.sql(`alter role "${role}" valid until 'infinity'`)
  expect(await told()).toEqual([])
})

test('what is left is what the documentation says', async () => {
  for (const statement of REMAINS) expect(await may(statement), statement).toBe(true)
})
