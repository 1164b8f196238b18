import pg from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createReadOnlyRole } from '../../src/demo/role.ts'
import { asSuperuser, createDatabase, type Database } from '../support/database.ts'
import { layout } from '../support/layout.ts'

let database: Database
let url: string
let gateway: pg.Client

beforeAll(async () => {
  database = await createDatabase()
  url = await createReadOnlyRole(database.url, layout)
  gateway = new pg.Client(url)
  await gateway.connect()
})

afterAll(async () => {
  await gateway.end()
  await database.drop()
  await asSuperuser(`drop role ${new URL(url).username}`)
})

test('the role reads every column of the layout', async () => {
  for (const table of Object.values(layout)) {
    if (table === null) continue
    const columns = Object.values(table.columns).map(({ name }) => pg.escapeIdentifier(name))
    await gateway.query(`select ${columns} from ${pg.escapeIdentifier(table.name)}`)
  }
})

test.each([
  ['accounts', 'password'],
  ['accounts', 'access_token'],
  ['accounts', 'refresh_token'],
  ['accounts', 'id_token'],
  ['sessions', 'token'],
  ['jwks', 'private_key'],
  ['verifications', 'value'],
  ['verifications', 'identifier'],
  ['two_factors', 'secret'],
])('the role cannot read %s.%s', async (table, column) => {
  await expect(gateway.query(`select ${column} from ${table}`)).rejects.toMatchObject({
    code: '42501',
  })
})

test('the role cannot write, also after it has turned its read-only default off', async () => {
  const write = `update users set name = 'x'`
  await expect(gateway.query(write)).rejects.toMatchObject({ code: '25006' })
  await gateway.query('set default_transaction_read_only = off')
  await expect(gateway.query(write)).rejects.toMatchObject({ code: '42501' })
})
