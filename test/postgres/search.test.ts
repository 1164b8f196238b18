import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { definitionOf } from '../../src/doctor/checks/indexes.ts'
import { neededIndexes } from '../../src/doctor/index-list.ts'
import type { MemberRepository } from '../../src/domain/member.ts'
import type { UserRepository } from '../../src/domain/user.ts'
import type { Table } from '../../src/layout/layout.ts'
import type { Database as Client } from '../../src/postgres/client.ts'
import { createMemberRepository } from '../../src/postgres/member.ts'
import { Tables } from '../../src/postgres/tables.ts'
import { createUserRepository } from '../../src/postgres/user.ts'
import { openHouse } from '../support/client.ts'
import { createDatabase, type Database } from '../support/database.ts'
import { layout } from '../support/layout.ts'

let database: Database
let client: Client
interface Searched {
  readonly users: UserRepository
  readonly members: MemberRepository
}
/** Which look through a list, and which ask the indexes, because the list is longer than they may look. */
let looking: Searched
let asking: Searched

beforeAll(async () => {
  database = await createDatabase()
  client = openHouse({ url: database.url })
  const open = (mostRows?: number): Searched => ({
    users: createUserRepository({ ...client, tables: new Tables(layout, 'public'), mostRows }),
    members: createMemberRepository({ ...client, tables: new Tables(layout, 'public'), mostRows }),
  })
  looking = open()
  asking = open(20)
  for (const needed of neededIndexes) {
    const definition = layout[needed.model] && definitionOf(needed, layout[needed.model] as Table)
    if (/^(prefix|words)$/.test(needed.kind))
      await database.sql(`create index on users ${definition}`)
  }
  await database.sql(`insert into organizations (id, name, slug, created_at)
    values ('o', 'O', 'o', now())`)
})

afterAll(async () => {
  await client.close()
  await database.drop()
})

async function store(names: readonly string[]): Promise<void> {
  await database.sql('delete from users')
  await database.sql(
    `insert into users (id, name, email, email_verified, created_at, updated_at)
     select name, name, 'at:' || n || name, true, now(), now()
     from unnest($1::text[]) with ordinality as row (name, n)`,
    [names],
  )
  await database.sql(`insert into members (id, organization_id, user_id, role, created_at)
    select id, 'o', id, 'member', now() from users`)
}

const page = { size: 100, from: 'start' } as const

async function findUsers(prefix: string, { users } = looking): Promise<string[]> {
  const search = { prefix, in: ['name', 'username'] } as const
  const { items } = await users.list(page, { search }, { field: 'NAME', direction: 'ASC' })
  expect(await users.count({ search })).toEqual({ count: items.length, isExact: true })
  return items.map(({ entity }) => entity.name)
}

async function findMembers(prefix: string, { members } = looking): Promise<string[]> {
  const search = { prefix, in: ['name'] } as const
  const order = { field: 'USER_NAME', direction: 'ASC' } as const
  const found = await members.listByOrganizationIds(['o'], page, { search }, order)
  const counts = await members.countByOrganizationIds(['o'], { search })
  const names = found.get('o')?.items.map(({ entity: { user } }) => user.name) ?? []
  expect(counts.get('o')).toEqual({ count: names.length, isExact: true })
  return names
}

const special = ['%', '_', '\\', '\\%', '%%', '_a', "'", '"', '\\\\', '*', '.*', '^']

test.each(special)('%s stands for itself', async (text) => {
  const beginning = [`${text}A`, `${text}z`, text]
  await store([...beginning, 'a', `a${text}`, 'Zebra', '/', '$'])
  expect((await findUsers(text)).toSorted()).toEqual(beginning.toSorted())
  expect((await findMembers(text)).toSorted()).toEqual(beginning.toSorted())
})

test.each([
  ['ANNA', 'anna'],
  ['Émile', 'éMILE'],
  ['Ольга', 'оЛЬГА'],
  ['ΑΣ', 'ΑΣ'],
  ['ΟΔΥΣΣΕΥΣ', 'ΟΔΥΣ'],
  ['İpek', 'İpek'],
  ['𐐀', '𐐨'],
])('%s is found by %s', async (name, prefix) => {
  await store([name, 'someone else'])
  expect(await findUsers(prefix)).toEqual([name])
})

test.each([
  ['Ravi Kulkarni', 'kulk'],
  ['Ravi Kulkarni', 'RAVI K'],
  ['Ravi  van der Berg', 'der b'],
  ['Åsa Öberg-Lindqvist', 'lind'],
  ['Åsa Öberg-Lindqvist', 'öb'],
  ["Siobhán O'Neill", 'neill'],
])('%s is found by %s, whichever way', async (name, prefix) => {
  await store([name, 'someone else', 'Kulkarnian Ravi Brunner'.toUpperCase()])
  for (const by of [looking, asking]) {
    expect(await findUsers(prefix, by)).toContain(name)
    expect(await findMembers(prefix, by)).toContain(name)
  }
})

test.each(['ulk', 'arni', 'i kulk', 'kulkarni ravi', 'ravi_kulk', 'ravi kulkarnis'])(
  'Ravi Kulkarni is not found by %s',
  async (prefix) => {
    await store(['Ravi Kulkarni'])
    for (const by of [looking, asking]) expect(await findUsers(prefix, by)).toEqual([])
  },
)

test('who is found are those in whose name a word begins so for PostgreSQL, in any case and whichever way', async () => {
  const letter = fc.constantFrom(..."aAéÉΣσςİißb1%_\\-' .(")
  const text = fc.string({ unit: letter, minLength: 1, maxLength: 5 })
  const property = fc.asyncProperty(
    fc.uniqueArray(text, { minLength: 1, maxLength: 15 }),
    text,
    async (names, prefix) => {
      await store(names)
      const expected = await database.sql<{ name: string }>(
        `select name from users where starts_with(lower(name), lower($1)) or exists (
           select from generate_series(2, length(lower(name))) as at
           where substr(lower(name), at - 1, 1) !~ '[[:alnum:]]' and substr(lower(name), at, 1) ~ '[[:alnum:]]'
             and starts_with(substr(lower(name), at), lower($1)))
         order by name, id`,
        [prefix],
      )
      for (const by of [looking, asking]) {
        expect(await findUsers(prefix, by)).toEqual(expected.map(({ name }) => name))
        expect(await findMembers(prefix, by)).toEqual(expected.map(({ name }) => name))
      }
    },
  )
  await fc.assert(property, { numRuns: 100 })
})

test.each(['AT:1S', '1some'])(
  'addresses are searched for %s where that is asked, and not otherwise',
  async (prefix) => {
    await store(['Somebody'])
    const search = { prefix, in: ['name', 'email'] } as const
    for (const { users } of [looking, asking])
      expect(await users.count({ search })).toEqual({ count: 1, isExact: true })
    expect(await findUsers(prefix)).toEqual([])
  },
)

test.each([
  ['@harb', 1],
  ['@harbor.example', 1],
  ['harbor', 1],
  ['kulkarni@', 1],
  ['@arbor', 0],
  ['@kulk', 0],
  ['@', 2],
])('of two addresses, %s is in %i', async (prefix, count) => {
  await store(['Ravi', 'Lena'])
  await database.sql(
    "update users set email = case name when 'Ravi' then 'ravi.kulkarni@harbor.example' else 'lena@example.com' end",
  )
  const search = { prefix, in: ['name', 'email'] } as const
  for (const { users } of [looking, asking])
    expect(await users.count({ search })).toEqual({ count, isExact: true })
})

test('among more than may be looked at, nothing is found without the index on words, rather than too little', async () => {
  await store(Array.from({ length: 8 }, (_, i) => `Person ${'abcdefgh'[i]}`))
  const few = (mostRows: number) =>
    createUserRepository({ ...client, tables: new Tables(layout, 'public'), mostRows })
  const search = { prefix: 'h', in: ['name'] } as const
  const list = (users: UserRepository) =>
    users.list(page, { search }, { field: 'CREATED_AT', direction: 'ASC' })
  expect((await list(few(3))).items).toHaveLength(1)
  const words = await database.sql<{ name: string }>(
    "select indexrelid::regclass::text as name from pg_index where indrelid = 'users'::regclass and pg_get_indexdef(indexrelid) like '%gin%'",
  )
  for (const { name } of words) await database.sql(`drop index ${name}`)
  await expect(list(few(3))).rejects.toMatchObject({ code: 'LIMIT_EXCEEDED' })
  expect(await few(3).count({ search })).toMatchObject({ isExact: false })
})
