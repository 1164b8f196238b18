import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { InvitationRepository } from '../../src/domain/invitation.ts'
import type { MemberRepository } from '../../src/domain/member.ts'
import type { OrganizationRepository } from '../../src/domain/organization.ts'
import type { PageRequest, Position } from '../../src/domain/page.ts'
import type { RoleRepository } from '../../src/domain/permission.ts'
import type { SessionRepository } from '../../src/domain/session.ts'
import type { UserRepository } from '../../src/domain/user.ts'
import type { VisibilityRepository } from '../../src/domain/visibility.ts'
import { type Database as Client, Prisma } from '../../src/postgres/client.ts'
import { createInvitationRepository } from '../../src/postgres/invitation.ts'
import { createMemberRepository } from '../../src/postgres/member.ts'
import { createOrganizationRepository } from '../../src/postgres/organization.ts'
import { createRoleRepository } from '../../src/postgres/role.ts'
import { createSessionRepository } from '../../src/postgres/session.ts'
import { Tables } from '../../src/postgres/tables.ts'
import { createUserRepository } from '../../src/postgres/user.ts'
import { createVisibilityRepository } from '../../src/postgres/visibility.ts'
import { openHouse } from '../support/client.ts'
import { createDatabase, type Database } from '../support/database.ts'
import { layout } from '../support/layout.ts'
import { fillLarge } from './support/large-world.ts'

/*
 * What PostgreSQL does for the statements of lists when tables are large. The plans are those of the statements
 * themselves, as the repositories send them, with their values, on the gateway's kind of connection.
 */

let database: Database
let client: Client
let members: MemberRepository
let users: UserRepository
let organizations: OrganizationRepository
let invitations: InvitationRepository
let sessions: SessionRepository
let visibility: VisibilityRepository
let roles: RoleRepository
/** Plans of what was read since it was last emptied. */
const plans: PlanNode[] = []

interface PlanNode {
  readonly 'Node Type': string
  readonly 'Relation Name'?: string
  readonly 'Actual Rows': number
  readonly 'Actual Loops': number
  readonly 'Rows Removed by Filter'?: number
  readonly 'Rows Removed by Join Filter'?: number
  readonly Plans?: readonly PlanNode[]
}

const SIZE = 20
/** Rows that a page may cost: itself, one more, and the other side of each. */
const BOUND = 4 * (SIZE + 1)

beforeAll(async () => {
  database = await createDatabase()
  await fillLarge(database)
  client = openHouse({ url: database.url, poolSize: 1, statementTimeoutMs: 60_000 })
  const explained: Client = {
    ...client,
    read: async (sql) => {
      const rows = await client.read<{ 'QUERY PLAN': readonly { Plan: PlanNode }[] }>(
        Prisma.sql`EXPLAIN (ANALYZE, FORMAT JSON) ${sql}`,
      )
      for (const row of rows) plans.push(...row['QUERY PLAN'].map(({ Plan }) => Plan))
      return client.read(sql)
    },
  }
  const tables = new Tables(layout, 'public')
  members = createMemberRepository({ ...explained, tables })
  users = createUserRepository({ ...explained, tables })
  organizations = createOrganizationRepository({ ...explained, tables })
  invitations = createInvitationRepository({ ...explained, tables })
  sessions = createSessionRepository({ ...explained, tables })
  visibility = createVisibilityRepository({ ...explained, tables })
  roles = createRoleRepository({ ...explained, tables })
}, 300_000)

afterAll(async () => {
  await client?.close()
  await database?.drop()
})

/** The plan of the one statement that this sends. */
async function planOf(work: () => Promise<unknown>): Promise<PlanNode> {
  plans.length = 0
  await work()
  const [plan] = plans
  if (!plan || plans.length > 1) throw new Error(`There were ${plans.length} statements.`)
  return plan
}

function nodesOf(plan: PlanNode): PlanNode[] {
  return [plan, ...(plan.Plans ?? []).flatMap(nodesOf)]
}

/** Rows taken from tables, those thrown away included. */
function rowsRead(plan: PlanNode): number {
  return nodesOf(plan)
    .filter((node) => node['Relation Name'] !== undefined)
    .map(
      (node) =>
        (node['Actual Rows'] + (node['Rows Removed by Filter'] ?? 0)) * node['Actual Loops'],
    )
    .reduce((sum, rows) => sum + rows, 0)
}

/** Of those that read a whole table. */
const seqScans = (plan: PlanNode) =>
  nodesOf(plan).filter((node) => node['Node Type'] === 'Seq Scan')

/** The most rows that anything in the plan sorted. */
function sorted(plan: PlanNode): number {
  const sorts = nodesOf(plan).filter((node) => node['Node Type'].includes('Sort'))
  return Math.max(0, ...sorts.flatMap((sort) => (sort.Plans ?? []).map((n) => n['Actual Rows'])))
}

function expectCheap(plan: PlanNode, bound = BOUND): void {
  expect(seqScans(plan)).toEqual([])
  expect(rowsRead(plan)).toBeLessThanOrEqual(bound)
  // A page, one more, and the one that an incremental sort looks ahead.
  expect(sorted(plan)).toBeLessThanOrEqual(SIZE + 2)
}

const first: PageRequest = { size: SIZE, from: 'start' }
const minute = (i: number) => new Date(Date.UTC(2020, 0, 1) + i * 60_000)
const place = (i: number, id: string): Position => ({
  value: minute(i).toISOString().replace('.000Z', '.000000Z'),
  id: `${id}${i}`,
})
const oldestFirst = { field: 'CREATED_AT', direction: 'ASC' } as const
const newestFirst = { field: 'CREATED_AT', direction: 'DESC' } as const

/** First and last pages, and those before and after a place in the middle. */
function pagesAround(middle: Position): Record<string, PageRequest> {
  return {
    'the first page': first,
    'the last page': { size: SIZE, from: 'end' },
    'the page after the middle': { size: SIZE, from: 'start', after: middle },
    'the page before the middle': { size: SIZE, from: 'end', before: middle },
    'the last page after the middle': { size: SIZE, from: 'end', after: middle },
    'the first page before the middle': { size: SIZE, from: 'start', before: middle },
  }
}

describe('of an organization with 100,000 members, by time,', () => {
  const pages = pagesAround(place(50_000, 'big'))

  test.each(Object.keys(pages))('%s reads a page', async (which) => {
    const page = pages[which] ?? first
    for (const order of [oldestFirst, newestFirst])
      expectCheap(await planOf(() => members.listByOrganizationIds(['o0'], page, {}, order)))
  })

  test('and of a hundred others beside it, each reads a page', async () => {
    const ids = Array.from({ length: 100 }, (_, i) => `o${i}`)
    const plan = await planOf(() => members.listByOrganizationIds(ids, first, {}, oldestFirst))
    expect(seqScans(plan)).toEqual([])
    expect(rowsRead(plan)).toBeLessThanOrEqual(100 * BOUND)
  })

  test('a role that everyone holds reads a page as well', async () => {
    const filter = { roles: ['member'] }
    expectCheap(
      await planOf(() => members.listByOrganizationIds(['o0'], first, filter, oldestFirst)),
    )
  })

  // PostgreSQL takes the organization for one of usual size, and walks it in order until the page is full.
  test.each([
    ['a role that nobody holds is', { roles: ['nobody'] }],
    ['some users are', { userIds: ['u1', 'u50000', 'u100000'] }],
  ])('%s looked for in each of them at most', async (_what, filter) => {
    const plan = await planOf(() =>
      members.listByOrganizationIds(['o0'], first, filter, oldestFirst),
    )
    expect(rowsRead(plan)).toBeLessThanOrEqual(100_000 + BOUND)
    expect(sorted(plan)).toBeLessThanOrEqual(SIZE + 1)
  })
})

/*
 * No index orders members by a column of another table, so this reads them all: a page by name costs as much as the
 * organization is large, and no more.
 */
test('by name, a page of 100,000 members reads each of them and their users, and keeps a page', async () => {
  const { rows } = await nameInTheMiddle()
  for (const page of Object.values(pagesAround(rows))) {
    const order = { field: 'USER_NAME', direction: 'ASC' } as const
    const plan = await planOf(() => members.listByOrganizationIds(['o0'], page, {}, order))
    expect(rowsRead(plan)).toBeGreaterThan(100_000)
    // Once for the page, and once more to know what is on the other side of a cursor.
    expect(rowsRead(plan)).toBeLessThanOrEqual(2 * 200_000)
  }
})

async function nameInTheMiddle(): Promise<{ rows: Position }> {
  const [row] = await database.sql<{ value: string; id: string }>(
    `select u.name as value, m.id from members m join users u on u.id = m.user_id
     where m.organization_id = 'o0' order by u.name, m.id offset 50000 limit 1`,
  )
  if (!row) throw new Error('The organization is empty.')
  return { rows: row }
}

describe('of 100,000 users', () => {
  const list = (
    page: PageRequest,
    filter = {},
    order: Parameters<typeof users.list>[2] = oldestFirst,
  ) => planOf(() => users.list(page, filter, order))
  const middle = place(50_000, 'u')

  test.each(Object.keys(pagesAround(middle)))('by time, %s reads a page', async (which) => {
    const page = pagesAround(middle)[which]
    if (!page) return
    expectCheap(await list(page))
    expectCheap(await list(page, {}, newestFirst))
  })

  test.each(['NAME', 'EMAIL'] as const)('by %s, a page reads a page', async (field) => {
    const [row] = await database.sql<Position>(
      `select ${field} as value, id from users order by ${field}, id offset 50000 limit 1`,
    )
    for (const direction of ['ASC', 'DESC'] as const)
      for (const page of Object.values(pagesAround(row ?? middle)))
        expectCheap(await list(page, {}, { field, direction }))
  })

  test('made after an instant in the middle, a page reads a page', async () => {
    expectCheap(await list(first, { createdAfter: minute(50_000) }))
  })

  test.each([
    ['name', 'PERSON c4ca'],
    ['email', 'P42424@'],
    ['username', 'nC4CA'],
  ])('found by %s, they are what is read', async (_field, prefix) => {
    const search = { prefix, in: ['name', 'username', 'email'] } as const
    const { count: found } = await users.count({ search })
    expect(found).toBeGreaterThan(0)
    expect(found).toBeLessThan(SIZE)
    const plan = await list(first, { search })
    expect(seqScans(plan)).toEqual([])
    expect(rowsRead(plan)).toBeLessThanOrEqual(3 * found)
  })

  test('counting those found reads no more than them', async () => {
    const search = { prefix: 'p4242', in: ['name', 'username', 'email'] } as const
    const plan = await planOf(() => users.count({ search }))
    expect(seqScans(plan)).toEqual([])
    expect(rowsRead(plan)).toBeLessThan(3 * SIZE)
  })
})

describe('of 2,001 organizations, a page reads a page', () => {
  test.each(['CREATED_AT', 'NAME'] as const)('by %s', async (field) => {
    const column =
      field === 'NAME'
        ? 'name'
        : 'to_char(created_at at time zone \'UTC\', \'YYYY-MM-DD"T"HH24:MI:SS.US"Z"\')'
    const [row] = await database.sql<Position>(
      `select ${column} as value, id from organizations order by ${field}, id offset 1000 limit 1`,
    )
    for (const direction of ['ASC', 'DESC'] as const)
      for (const page of Object.values(pagesAround(row ?? place(1000, 'o'))))
        expectCheap(await planOf(() => organizations.list(page, { field, direction })))
  })
})

describe('with the indexes that Better Auth makes,', () => {
  test('invitations to an address are what is read', async () => {
    const emails = ['p1@example.com', 'p2@example.com']
    const plan = await planOf(() => invitations.listByEmails(emails, first, { status: 'PENDING' }))
    // Five to each, with the organization of each.
    expectCheap(plan, 2 * 5 * 2)
  })

  test('the sessions of a user are what is read', async () => {
    const plan = await planOf(() => sessions.listByUserIds(['u1', 'u2'], first))
    expectCheap(plan, 2 * 5)
  })

  test('the organizations of a user in a thousand are read once for a page', async () => {
    const plan = await planOf(() => members.listByUserIds(['u1'], first, { scope: 'all' }))
    expect(seqScans(plan)).toEqual([])
    expect(rowsRead(plan)).toBeLessThanOrEqual(2 * 1001 + BOUND)
  })
})

describe('of a user in a thousand organizations, one of them with 100,000 members,', () => {
  test('who shares one with them reads their memberships and those of the users asked about', async () => {
    const userIds = Array.from({ length: 100 }, (_, i) => `u${i * 900 + 1002}`)
    const organizationIds = Array.from({ length: 100 }, (_, i) => `o${i * 20 + 1}`)
    const plan = await planOf(() => visibility.look([{ userId: 'u1', userIds, organizationIds }]))
    expect(seqScans(plan)).toEqual([])
    expect(rowsRead(plan)).toBeLessThanOrEqual(2 * 1001 + 100 * 4)
  })

  test('the roles of a hundred pairs are what is read', async () => {
    const subjects = Array.from({ length: 100 }, (_, i) => ({
      userId: `u${i + 1}`,
      organizationId: 'o0',
    }))
    const plan = await planOf(() => roles.findRoles(subjects, { dynamic: false }))
    expect(seqScans(plan)).toEqual([])
    expect(rowsRead(plan)).toBeLessThanOrEqual(2 * 100)
  })
})
