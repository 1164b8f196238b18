import { afterAll, beforeAll, expect, test } from 'vitest'
import type { PageRequest } from '../../src/domain/page.ts'
import { type Database as Client, Prisma } from '../../src/postgres/client.ts'
import { createMemberRepository } from '../../src/postgres/member.ts'
import { createOrganizationRepository } from '../../src/postgres/organization.ts'
import { createRoleRepository } from '../../src/postgres/role.ts'
import { Tables } from '../../src/postgres/tables.ts'
import { createUserRepository } from '../../src/postgres/user.ts'
import { createVisibilityRepository } from '../../src/postgres/visibility.ts'
import { openHouse } from '../support/client.ts'
import { createDatabase, type Database } from '../support/database.ts'
import { layout } from '../support/layout.ts'
import { fillLarge } from './support/large-world.ts'

/*
 * PostgreSQL may plan a prepared statement without its values. These make it do so always, among a million members, and
 * count the rows that it takes from tables.
 */

let database: Database
let client: Client
let tables: Tables

beforeAll(async () => {
  database = await createDatabase()
  await fillLarge(database)
  const url = new URL(database.url)
  url.searchParams.set('options', '-c plan_cache_mode=force_generic_plan')
  client = openHouse({ url: url.href, poolSize: 1, statementTimeoutMs: 60_000 })
  tables = new Tables(layout, 'public')
}, 300_000)

afterAll(async () => {
  await client?.close()
  await database?.drop()
})

async function rowsRead(work: () => Promise<unknown>): Promise<number> {
  const before = await taken()
  await work()
  await client.read(Prisma.sql`SELECT pg_stat_force_next_flush()::text`)
  await client.ping()
  return (await taken()) - before
}

async function taken(): Promise<number> {
  const [row] = await database.sql<{ rows: number }>(
    'select sum(coalesce(seq_tup_read, 0) + coalesce(idx_tup_fetch, 0))::int as rows from pg_stat_user_tables',
  )
  return row?.rows ?? Number.NaN
}

const first: PageRequest = { size: 20, from: 'start' }
const oldestFirst = { field: 'CREATED_AT', direction: 'ASC' } as const
const range = (length: number) => Array.from({ length }, (_, i) => i)
/** A page, one more, and the other side of each. */
const PAGE = 4 * 21

test('counting notices a read of everything', async () => {
  expect(await rowsRead(() => client.read(Prisma.sql`SELECT count(role) FROM members`))).toBe(
    1_000_000,
  )
})

const statements: Record<string, [bound: number, work: () => Promise<unknown>]> = {
  'a page of 100,000 members': [
    PAGE,
    () => members().listByOrganizationIds(['o0'], first, {}, oldestFirst),
  ],
  'a page of fifty members': [
    PAGE,
    () => members().listByOrganizationIds(['x7'], first, {}, oldestFirst),
  ],
  'pages of a hundred organizations': [
    100 * PAGE,
    () =>
      members().listByOrganizationIds(
        range(100).map((i) => `x${i}`),
        first,
        {},
        oldestFirst,
      ),
  ],
  'a page in the middle of 100,000 members': [
    PAGE,
    () =>
      members().listByOrganizationIds(
        ['o0'],
        { ...first, after: { value: '2020-02-04T17:20:00.000000Z', id: 'big50000' } },
        {},
        oldestFirst,
      ),
  ],
  'the organizations of a user': [
    2 * 11,
    () => members().listByUserIds(['v7'], first, { scope: 'all' }),
  ],
  'users by id': [1000, () => users().findByIds(range(1000).map((i) => `u${i}`))],
  'a page of users': [PAGE, () => users().list(first, {}, oldestFirst)],
  'a page of organizations': [
    PAGE,
    () => createOrganizationRepository({ ...client, tables }).list(first, oldestFirst),
  ],
  'the roles of a hundred people': [
    200,
    () =>
      createRoleRepository({ ...client, tables }).findRoles(
        range(100).map((i) => ({ userId: `u${i + 1}`, organizationId: 'o0' })),
        { dynamic: false },
      ),
  ],
  'what a hundred callers see': [
    100 * (1 + 2 * 10 + 10 * 4),
    () =>
      createVisibilityRepository({ ...client, tables }).look(
        range(100).map((i) => ({
          userId: `v${i}`,
          organizationIds: [`x${i}`, `x${i + 1}`],
          userIds: [`v${i + 1}`, `u${i + 2}`],
        })),
      ),
  ],
}

const members = () => createMemberRepository({ ...client, tables })
const users = () => createUserRepository({ ...client, tables })

test.each(Object.keys(statements))('%s costs what it brings', async (what) => {
  const [bound, work] = statements[what] ?? [0, async () => {}]
  const rows = await rowsRead(work)
  expect(rows).toBeGreaterThan(0)
  expect(rows).toBeLessThanOrEqual(bound)
})

test('a search that comes again and again is planned for what it looks for each time', async () => {
  // Where PostgreSQL chooses: after five times it may plan without values, and a beginning is found by an index with them.
  const usual = openHouse({ url: database.url, poolSize: 1, statementTimeoutMs: 60_000 })
  try {
    const { listByOrganizationIds } = createMemberRepository({ ...usual, tables })
    for (let time = 0; time < 12; time++) {
      const search = {
        prefix: `person ${(time + 16).toString(16)}`,
        in: ['name', 'email'] as const,
      }
      const before = await taken()
      await listByOrganizationIds(['o0'], first, { search }, oldestFirst)
      await usual.read(Prisma.sql`SELECT pg_stat_force_next_flush()::text`)
      await usual.ping()
      expect((await taken()) - before).toBeLessThan(10_000)
    }
  } finally {
    await usual.close()
  }
})
