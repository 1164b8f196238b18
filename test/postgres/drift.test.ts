import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createReadOnlyRole } from '../../src/demo/role.ts'
import type { Database as Client } from '../../src/postgres/client.ts'
import { describeDrift, findDrift, watchDrift } from '../../src/postgres/drift.ts'
import { openHouse } from '../support/client.ts'
import { asSuperuser, createDatabase, type Database } from '../support/database.ts'
import { layout } from '../support/layout.ts'

let database: Database
let client: Client
let role: string

beforeAll(async () => {
  database = await createDatabase()
  const url = await createReadOnlyRole(database.url, layout)
  role = new URL(url).username
  client = openHouse({ url })
})

afterAll(async () => {
  await client.close()
  await database.drop()
  await asSuperuser(`drop role ${role}`)
})

const problem = async () => describeDrift(await findDrift(client, layout, { schema: 'public' }))
const INTROSPECT =
  ': run the command introspect for this database and start with the schema it writes.'
const GRANT = ': let the owner of the tables run the SQL that the command doctor --sql prints.'

test('a database that is as its layout says differs in nothing', async () => {
  expect(await problem()).toBeNull()
})

test('a zone that PostgreSQL does not know is named, and one that it knows is as it should be', async () => {
  const inZone = async (timestampZone: string) =>
    describeDrift(await findDrift(client, layout, { schema: 'public', timestampZone }))
  expect(await inZone('Asia/Seoul')).toBeNull()
  expect(await inZone('Asia/Soul')).toBe(
    'PostgreSQL knows no time zone "Asia/Soul": set DATABASE_TIMESTAMP_ZONE to a name that it lists in pg_timezone_names.',
  )
})

test.each([
  [
    'alter table members rename column organization_id to org',
    'alter table members rename column org to organization_id',
    `the column "members"."organization_id" is missing${INTROSPECT}`,
  ],
  [
    'alter table teams rename to groups',
    'alter table groups rename to teams',
    `the table "teams" is missing${INTROSPECT}`,
  ],
  [
    'alter table users alter created_at type timestamp',
    'alter table users alter created_at type timestamptz',
    `the column "users"."created_at" is of type timestamp without time zone instead of timestamptz${INTROSPECT}`,
  ],
  [
    'alter table organizations alter slug drop not null',
    'alter table organizations alter slug set not null',
    `the column "organizations"."slug" may be NULL now${INTROSPECT}`,
  ],
])('%s: the sentence names what differs and the command', async (change, undo, expected) => {
  await database.sql(change)
  expect(await problem()).toBe(expected)
  await database.sql(undo)
  expect(await problem()).toBeNull()
})

test('what is allowed to be NULL may become NOT NULL, and text may become a longer or shorter one', async () => {
  await database.sql(`alter table users alter role set default '', alter role set not null`)
  await database.sql('alter table organizations alter name type varchar(200)')
  expect(await problem()).toBeNull()
  await database.sql('alter table users alter role drop default, alter role drop not null')
  await database.sql('alter table organizations alter name type text')
})

test('what the role may not read is named, whole tables as such', async () => {
  const columns = Object.values(layout.Member?.columns ?? {}).map(({ name }) => name)
  await database.sql(`revoke select (${columns}) on members from ${role}`)
  await database.sql(`revoke select (email) on users from ${role}`)
  expect(await problem()).toBe(
    `the role "${role}" may not read "users"."email", the role "${role}" may not read the table "members"${GRANT}`,
  )
  await database.sql(`grant select (${columns}) on members to ${role}`)
  await database.sql(`grant select (email) on users to ${role}`)
  await database.sql(`revoke usage on schema public from ${role}, public`)
  expect(await problem()).toContain(`the role "${role}" may not read the table "users"`)
  await database.sql(`grant usage on schema public to public`)
  expect(await problem()).toBeNull()
})

test('another PostgreSQL schema has none of the tables', async () => {
  const drift = await findDrift(client, layout, { schema: 'elsewhere' })
  expect(drift).toHaveLength(Object.values(layout).filter(Boolean).length)
  expect(describeDrift(drift)).toMatch(/^the table "users" is missing, .*, and 7 more: run/)
})

describe('the watch', () => {
  test('asks once in five seconds, however many want to know, and tells of changes once', async () => {
    let atMs = 0
    let asked = 0
    let answer: string | null = null
    const told: (string | null)[] = []
    const findProblem = watchDrift({
      find: async () => {
        asked++
        return answer
      },
      onChange: (problem) => told.push(problem),
      now: () => atMs,
    })
    await Promise.all([findProblem(), findProblem()])
    atMs = 4999
    answer = 'the table "members" is missing'
    expect(await findProblem()).toBeNull()
    expect(asked).toBe(1)
    atMs = 5000
    expect(await findProblem()).toBe(answer)
    atMs = 10_000
    await findProblem()
    expect({ asked, told }).toEqual({ asked: 3, told: [answer] })
    answer = null
    atMs = 15_000
    expect(await findProblem()).toBeNull()
    expect(told).toEqual(['the table "members" is missing', null])
  })

  test('believes nothing when the database could not be asked', async () => {
    let asked = 0
    const findProblem = watchDrift({
      find: () => {
        asked++
        return Promise.reject(new Error('away'))
      },
      onChange: () => {},
    })
    await expect(findProblem()).rejects.toThrow('away')
    await expect(findProblem()).rejects.toThrow('away')
    expect(asked).toBe(2)
  })
})
