import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { MemberRepository } from '../../src/domain/member.ts'
import type { UserRepository } from '../../src/domain/user.ts'
import type { Database as Client } from '../../src/postgres/client.ts'
import { createMemberRepository } from '../../src/postgres/member.ts'
import { Tables } from '../../src/postgres/tables.ts'
import { createUserRepository } from '../../src/postgres/user.ts'
import { openHouse } from '../support/client.ts'
import { createDatabase, type Database } from '../support/database.ts'
import { layout } from '../support/layout.ts'

let database: Database
let client: Client
let users: UserRepository
let members: MemberRepository

beforeAll(async () => {
  database = await createDatabase()
  client = openHouse({ url: database.url })
  const tables = new Tables(layout, 'public')
  users = createUserRepository({ ...client, tables })
  members = createMemberRepository({ ...client, tables })
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

async function findUsers(prefix: string): Promise<string[]> {
  const search = { prefix, in: ['name', 'username'] } as const
  const { items } = await users.list(page, { search }, { field: 'NAME', direction: 'ASC' })
  expect(await users.count({ search })).toEqual({ count: items.length, isExact: true })
  return items.map(({ entity }) => entity.name)
}

async function findMembers(prefix: string): Promise<string[]> {
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

test('who is found are those whose name begins so for PostgreSQL, in any case', async () => {
  const letter = fc.constantFrom('a', 'A', 'é', 'É', 'Σ', 'σ', 'ς', 'İ', 'i', 'ß', '%', '_', '\\')
  const text = fc.string({ unit: letter, minLength: 1, maxLength: 3 })
  const property = fc.asyncProperty(
    fc.uniqueArray(text, { minLength: 1, maxLength: 15 }),
    text,
    async (names, prefix) => {
      await store(names)
      const expected = await database.sql<{ name: string }>(
        'select name from users where starts_with(lower(name), lower($1)) order by name, id',
        [prefix],
      )
      expect(await findUsers(prefix)).toEqual(expected.map(({ name }) => name))
      expect(await findMembers(prefix)).toEqual(expected.map(({ name }) => name))
    },
  )
  await fc.assert(property, { numRuns: 60 })
})

test('addresses are searched where that is asked for, and not otherwise', async () => {
  await store(['Somebody'])
  const search = { prefix: 'AT:1S', in: ['name', 'email'] } as const
  expect(await users.count({ search })).toEqual({ count: 1, isExact: true })
  expect(await findUsers('at:1s')).toEqual([])
})
