import fc from 'fast-check'
import pg from 'pg'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { MemberRepository } from '../../src/domain/member.ts'
import type { PageRequest } from '../../src/domain/page.ts'
import type { RoleRepository } from '../../src/domain/permission.ts'
import type { UserRepository } from '../../src/domain/user.ts'
import type { VisibilityRepository } from '../../src/domain/visibility.ts'
import type { Database as Client } from '../../src/postgres/client.ts'
import { createMemberRepository } from '../../src/postgres/member.ts'
import { createRoleRepository } from '../../src/postgres/role.ts'
import { Tables } from '../../src/postgres/tables.ts'
import { createUserRepository } from '../../src/postgres/user.ts'
import { createVisibilityRepository } from '../../src/postgres/visibility.ts'
import { openHouse } from '../support/client.ts'
import { createDatabase, type Database } from '../support/database.ts'
import { layout } from '../support/layout.ts'

let database: Database
let client: Client
/** What was read since the test began, in order. */
let statements: string[]
let users: UserRepository
let members: MemberRepository
let visibility: VisibilityRepository
let roles: RoleRepository

beforeAll(async () => {
  database = await createDatabase()
  await fill()
  client = openHouse({ url: database.url, poolSize: 4, statementTimeoutMs: 500 })
  const counted: Client = {
    ...client,
    read: (sql) => {
      statements.push(sql.sql)
      return client.read(sql)
    },
  }
  const tables = new Tables(layout, 'public')
  users = createUserRepository({ ...counted, tables })
  members = createMemberRepository({ ...counted, tables })
  visibility = createVisibilityRepository({ ...counted, tables })
  roles = createRoleRepository({ ...counted, tables })
})

beforeEach(() => {
  statements = []
})

afterAll(async () => {
  await client.close()
  await database.drop()
})

/** 30 users, one of them banned; 10 organizations; each user in some of them. */
async function fill(): Promise<void> {
  for (const statement of [
    `insert into users (id, name, email, email_verified, created_at, updated_at, banned)
     select 'u' || i, 'User ' || i, 'u' || i || '@example.com', true, now(), now(), i = 7
     from generate_series(0, 29) i`,
    `insert into organizations (id, name, slug, created_at)
     select 'o' || i, 'O' || i, 'o' || i, now() from generate_series(0, 9) i`,
    `insert into members (id, organization_id, user_id, role, created_at)
     select 'm' || i || '-' || o, 'o' || o, 'u' || i, case when o % 2 = 0 then 'admin' else 'member' end,
       '2024-01-01'::timestamptz + i * interval '1 minute'
     from generate_series(0, 29) i, generate_series(0, 9) o where (i * 7 + o * 3) % 10 < 3`,
  ])
    await database.sql(statement)
}

/** Every read of the table waits. */
async function whileLocked(table: string, work: () => Promise<void>): Promise<void> {
  const owner = new pg.Client({ connectionString: database.url })
  await owner.connect()
  await owner.query(`begin; lock table ${table} in access exclusive mode`)
  try {
    await work()
  } finally {
    await owner.end()
  }
}

const range = (length: number) => Array.from({ length }, (_, i) => i)
const page: PageRequest = { size: 3, from: 'start' }
const oldestFirst = { field: 'CREATED_AT', direction: 'ASC' } as const

test('what many ask for in one turn is one statement, and each gets their own', async () => {
  const { findByIds } = users
  const asked = range(30).map((i) => [`u${i}`, `u${(i + 1) % 30}`, `nobody-${i}`])
  const answers = await Promise.all(asked.map((ids) => findByIds(ids)))
  expect(statements).toHaveLength(1)
  for (const [i, ids] of asked.entries())
    expect(answers[i]?.map(({ id }) => id).toSorted()).toEqual(ids.slice(0, 2).toSorted())
})

test('what is asked for in another turn is read anew', async () => {
  const { findByIds } = users
  const before = findByIds(['u0'])
  await before
  await database.sql("update users set name = 'Changed' where id = 'u0'")
  const [changed] = await findByIds(['u0'])
  await database.sql("update users set name = 'User 0' where id = 'u0'")
  expect(changed?.name).toBe('Changed')
  expect(statements).toHaveLength(2)
})

test('other pages, filters and orders are other statements', async () => {
  const { listByOrganizationIds } = members
  await Promise.all([
    listByOrganizationIds(['o0'], page, {}, oldestFirst),
    listByOrganizationIds(['o1'], page, {}, oldestFirst),
    listByOrganizationIds(['o2'], { ...page, size: 4 }, {}, oldestFirst),
    listByOrganizationIds(['o3'], page, { roles: ['admin'] }, oldestFirst),
    listByOrganizationIds(['o4'], page, {}, { field: 'CREATED_AT', direction: 'DESC' }),
  ])
  expect(statements).toHaveLength(4)
})

test('a statement serves so many rows at most, and never divides what one asked for', async () => {
  const { findByIds } = users
  await Promise.all(range(50).map((i) => findByIds(range(100).map((j) => `${i}-${j}`))))
  expect(statements).toHaveLength(9)
  statements = []
  await findByIds(range(5000).map(String))
  expect(statements).toHaveLength(1)
  statements = []
  const { listByOrganizationIds } = members
  const large = { size: 100, from: 'start' } as const
  await Promise.all(range(40).map((i) => listByOrganizationIds([`o${i}`], large, {}, oldestFirst)))
  expect(statements).toHaveLength(8)
})

describe('what the database refuses', () => {
  const isInternal = expect.objectContaining({ code: 'INTERNAL' })

  /** Reading `u13` fails, as it would behind a view or a policy that stumbles over it. */
  beforeAll(async () => {
    await database.sql('alter table users rename to stored_users')
    await database.sql(`create view users as
      select id, case when id = 'u13' then (1 / (length(id) - 3))::text else name end as name, image, email,
        email_verified, created_at, updated_at, username, display_username, phone_number, phone_number_verified,
        two_factor_enabled, is_anonymous, role, banned, ban_reason, ban_expires, last_login_method
      from stored_users`)
  })

  afterAll(async () => {
    await database.sql('drop view users')
    await database.sql('alter table stored_users rename to users')
  })

  test.each([
    ['a NUL character', 'u1\0'],
    ['a row that cannot be read', 'u13'],
  ])('%s is told to its asker alone', async (_what, bad) => {
    const { findByIds } = users
    const asked = range(20).map((i) => (i === 13 ? [bad] : [`u${i}`]))
    const answers = await Promise.allSettled(asked.map((ids) => findByIds(ids)))
    for (const [i, answer] of answers.entries())
      if (i === 13) expect(answer).toMatchObject({ status: 'rejected' })
      else expect(answer).toMatchObject({ status: 'fulfilled', value: [{ id: `u${i}` }] })
    // Halves, not one by one.
    expect(statements.length).toBeLessThan(12)
  })

  test('in a question about visibility reaches nobody else', async () => {
    const { look } = visibility
    const [bad, good] = await Promise.allSettled([
      look([{ userId: 'u1', organizationIds: ['o\0'], userIds: [] }]),
      look([{ userId: 'u2', organizationIds: [], userIds: [] }]),
    ])
    expect(bad).toEqual({ status: 'rejected', reason: isInternal })
    expect(good).toMatchObject({ status: 'fulfilled', value: [{ self: { id: 'u2' } }] })
  })
})

test('a time-out is told to those in the statement, once, and to nobody else', async () => {
  const isTimeout = { status: 'rejected', reason: expect.objectContaining({ code: 'TIMEOUT' }) }
  const { findByIds } = users
  const { listByUserIds } = members
  await whileLocked('users', async () => {
    const [one, two, other] = await Promise.allSettled([
      findByIds(['u1']),
      findByIds(['u2']),
      listByUserIds(['u1'], page, { scope: 'all' }),
    ])
    expect([one, two]).toEqual([isTimeout, isTimeout])
    expect(other.status).toBe('fulfilled')
    expect(statements).toHaveLength(2)
  })
  expect(await findByIds(['u1'])).toMatchObject([{ id: 'u1' }])
})

const anyUser = fc.constantFrom(...range(30).map((i) => `u${i}`), 'nobody', '')
const anyOrganization = fc.constantFrom(...range(10).map((i) => `o${i}`), 'nowhere', '')
const anyQuestion = fc.record({
  userId: anyUser,
  organizationIds: fc.uniqueArray(anyOrganization, { maxLength: 5 }),
  userIds: fc.uniqueArray(anyUser, { maxLength: 5 }),
})

test('what callers see together is what each would see alone', async () => {
  const { look } = visibility
  const property = fc.asyncProperty(
    fc.array(anyQuestion, { minLength: 2, maxLength: 25 }),
    async (questions) => {
      statements = []
      const together = await Promise.all(questions.map((question) => look([question])))
      expect(statements).toHaveLength(1)
      for (const [i, question] of questions.entries())
        expect(together[i]).toEqual(await visibility.look([question]))
    },
  )
  await fc.assert(property, { numRuns: 40 })
})

test('memberships narrowed to different callers are never joined', async () => {
  const { listByUserIds } = members
  const property = fc.asyncProperty(
    fc.array(fc.tuple(anyUser, anyUser), { minLength: 2, maxLength: 12 }),
    async (pairs) => {
      const list = ([sharedWith, of]: (typeof pairs)[number]) =>
        listByUserIds([of], page, { scope: { sharedWith } })
      const together = await Promise.all(pairs.map(list))
      for (const [i, pair] of pairs.entries()) expect(together[i]).toEqual(await list(pair))
    },
  )
  await fc.assert(property, { numRuns: 20 })
})

test('roles asked for together are those asked for alone, in the order asked', async () => {
  const { findRoles } = roles
  const property = fc.asyncProperty(
    fc.array(
      fc.array(fc.record({ userId: anyUser, organizationId: anyOrganization }), {
        minLength: 1,
        maxLength: 6,
      }),
      { minLength: 2, maxLength: 12 },
    ),
    async (asked) => {
      const together = await Promise.all(
        asked.map((subjects) => findRoles(subjects, { dynamic: true })),
      )
      for (const [i, subjects] of asked.entries()) {
        const alone = await roles.findRoles(subjects, { dynamic: true })
        expect(together[i]?.subjects).toEqual(alone.subjects)
        expect(together[i]?.dynamicRoles).toEqual(alone.dynamicRoles)
      }
    },
  )
  await fc.assert(property, { numRuns: 20 })
})
