import pg from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createDatabase, type Database } from './database.ts'
import { recordStatements } from './sql-log.ts'

let database: Database
let gateway: pg.Pool

beforeAll(async () => {
  database = await createDatabase()
  gateway = new pg.Pool({
    connectionString: database.url,
    application_name: 'identity-gateway',
    max: 4,
  })
  gateway.on('error', () => {})
})

afterAll(async () => {
  await gateway.end()
  await database.drop()
})

test('every statement of the gateway is recorded once and in order, with BEGIN and COMMIT', async () => {
  await gateway.query('select 1 as before')
  const statements = await recordStatements(database.name, async () => {
    const client = await gateway.connect()
    await client.query('begin')
    await client.query('select $1::text as\n  parameter', ['a'])
    await client.query({ name: 'named', text: 'select id from users where id = $1', values: ['b'] })
    await client.query('commit')
    client.release()
  })
  await gateway.query('select 1 as after')
  expect(statements).toEqual([
    'begin',
    'select $1::text as\n  parameter',
    'select id from users where id = $1',
    'commit',
  ])
})

test('a hundred concurrent statements, some of them long, are all counted', async () => {
  const long = `select '${'x'.repeat(20_000)}'`
  const statements = await recordStatements(database.name, () =>
    Promise.all(
      Array.from({ length: 100 }, (_, i) => gateway.query(i % 2 === 0 ? `select ${i}` : long)),
    ),
  )
  expect(statements).toHaveLength(100)
  expect(statements.filter((text) => text === long)).toHaveLength(50)
})

test('what others run, or the gateway runs on another database, is not counted', async () => {
  const other = await createDatabase('empty')
  const elsewhere = new pg.Pool({
    connectionString: other.url,
    application_name: 'identity-gateway',
  })
  elsewhere.on('error', () => {})
  const statements = await recordStatements(database.name, async () => {
    await elsewhere.query('select 1')
    await database.sql('select 2')
    await gateway.query('select 3')
  })
  await elsewhere.end()
  await other.drop()
  expect(statements).toEqual(['select 3'])
})
