import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { InvitationFilter } from '../../src/domain/invitation.ts'
import { MOST_ROWS } from '../../src/domain/limits.ts'
import type { MemberFilter, MemberOrder, MembershipFilter } from '../../src/domain/member.ts'
import type { PageRequest, Position } from '../../src/domain/page.ts'
import type { UserFilter, UserOrder } from '../../src/domain/user.ts'
import { type Database as Client, Prisma } from '../../src/postgres/client.ts'
import { createInvitationRepository } from '../../src/postgres/invitation.ts'
import { createMemberRepository } from '../../src/postgres/member.ts'
import { createOrganizationRepository } from '../../src/postgres/organization.ts'
import { createRoleRepository } from '../../src/postgres/role.ts'
import { createSessionRepository } from '../../src/postgres/session.ts'
import { Tables } from '../../src/postgres/tables.ts'
import { createTeamRepository } from '../../src/postgres/team.ts'
import { createUserRepository } from '../../src/postgres/user.ts'
import { createVisibilityRepository } from '../../src/postgres/visibility.ts'
import { openHouse } from '../support/client.ts'
import { createDatabase, type Database } from '../support/database.ts'
import { layout } from '../support/layout.ts'
import { fillLarge } from './support/large-world.ts'

/*
 * What PostgreSQL does for the statements of lists among a million members, in rows that it takes from tables and in
 * blocks that it touches. The plans are those of the statements themselves, as the repositories send them, with their
 * values, on the gateway's kind of connection. No list may cost what is not shown: a page costs a page, whatever lies
 * around it, and what cannot be found by an index costs LIMIT_ROWS at most.
 */

let database: Database
let client: Client
let repositories: ReturnType<typeof open>
/** Plans of what was read since it was last emptied. */
const plans: PlanNode[] = []

interface PlanNode {
  readonly 'Node Type': string
  readonly 'Relation Name'?: string
  readonly 'Actual Rows': number
  readonly 'Actual Loops': number
  readonly 'Rows Removed by Filter'?: number
  readonly 'Shared Hit Blocks': number
  readonly 'Shared Read Blocks': number
  readonly Plans?: readonly PlanNode[]
}

beforeAll(async () => {
  database = await createDatabase()
  await fillLarge(database)
  client = openHouse({ url: database.url, poolSize: 1, statementTimeoutMs: 60_000 })
  repositories = open(client)
}, 300_000)

afterAll(async () => {
  await client?.close()
  await database?.drop()
  if (process.env.FIGURES) process.stdout.write(`${figures.join('\n')}\n`)
})

function open(client: Client) {
  const explained: Client = {
    ...client,
    read: async (sql) => {
      const rows = await client.read<{ 'QUERY PLAN': readonly { Plan: PlanNode }[] }>(
        Prisma.sql`EXPLAIN (ANALYZE, BUFFERS, TIMING OFF, FORMAT JSON) ${sql}`,
      )
      for (const row of rows) plans.push(...row['QUERY PLAN'].map(({ Plan }) => Plan))
      return client.read(sql)
    },
  }
  const db = { ...explained, tables: new Tables(layout, 'public') }
  return {
    members: createMemberRepository(db),
    users: createUserRepository(db),
    organizations: createOrganizationRepository(db),
    invitations: createInvitationRepository(db),
    sessions: createSessionRepository(db),
    teams: createTeamRepository(db),
    visibility: createVisibilityRepository(db),
    roles: createRoleRepository(db),
  }
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

const sum = (numbers: readonly number[]) => numbers.reduce((all, one) => all + one, 0)

/** For each of what was asked, what it took. FIGURES=1 prints it. */
const figures: string[] = []

interface Bound {
  readonly rows: number
  readonly blocks: number
}

/** @param bound What the statements that this sends may take together. */
async function expectWithin(bound: Bound, what: string, work: () => Promise<unknown>) {
  plans.length = 0
  const outcome = await work().then(
    () => '',
    (error: { code?: string }) => ` ${error.code}`,
  )
  const rows = sum(plans.map(rowsRead))
  const blocks = sum(plans.map((plan) => plan['Shared Hit Blocks'] + plan['Shared Read Blocks']))
  figures.push(`| ${what}${outcome} | ${plans.length} | ${Math.round(rows)} | ${blocks} |`)
  expect(plans.length).toBeGreaterThan(0)
  expect(rows).toBeLessThanOrEqual(bound.rows)
  expect(blocks).toBeLessThanOrEqual(bound.blocks)
}

const SIZE = 20
const first: PageRequest = { size: SIZE, from: 'start' }
/** A page, one more, what each row leads to, and the other side of cursors; each row is reached through an index. */
const PAGE: Bound = { rows: 4 * (SIZE + 1), blocks: 4 * 5 * (SIZE + 1) }
/** A page of each of the few values that a list is narrowed by, and the looks for these. */
const PAGE_OF_SOME: Bound = { rows: 4 * PAGE.rows, blocks: 4 * PAGE.blocks }
/** As many index entries as may be looked at. */
const COUNTED: Bound = { rows: MOST_ROWS + 100, blocks: MOST_ROWS / 20 }
/** As many rows as may be looked at, each with one or two more that say whether it is to be shown. */
const LOOKED_AT: Bound = { rows: 6 * MOST_ROWS, blocks: 12 * MOST_ROWS }
/** A look at a thousand rows, and then a way by another index that leads to few. */
const FOUND: Bound = { rows: 5_000, blocks: 15_000 }

const minute = (i: number) => new Date(Date.UTC(2020, 0, 1) + i * 60_000)
const place = (i: number, id: string): Position => ({
  value: minute(i).toISOString().replace('.000Z', '.000000Z'),
  id: `${id}${i}`,
})
const oldestFirst = { field: 'CREATED_AT', direction: 'ASC' } as const
const newestFirst = { field: 'CREATED_AT', direction: 'DESC' } as const

/** First and last pages, and those before and after a place in the middle. */
function pagesAround(middle: Position): readonly PageRequest[] {
  return [
    first,
    { size: SIZE, from: 'end' },
    { size: SIZE, from: 'start', after: middle },
    { size: SIZE, from: 'end', before: middle },
    { size: SIZE, from: 'end', after: middle },
    { size: SIZE, from: 'start', before: middle },
  ]
}

async function placeOf(column: string, table: string, offset: number): Promise<Position> {
  const [row] = await database.sql<{ value: string; id: string }>(
    `select ${column} as value, id from ${table} order by ${column}, id offset ${offset} limit 1`,
  )
  if (!row) throw new Error(`There are not so many ${table}.`)
  return row
}

const inFields = (prefix: string) => ({
  search: { prefix, in: ['name', 'username', 'email'] as const },
})
const granting = (...roles: string[]) => ({
  grantedBy: roles.map((role) => ({ organizationId: null, role })),
})

describe('of an organization with 100,000 members,', () => {
  const filters: Record<string, [filter: MemberFilter, page: Bound, count: Bound]> = {
    all: [{}, PAGE, COUNTED],
    'with a role that nearly all hold': [{ roles: ['member'] }, PAGE_OF_SOME, COUNTED],
    'with a role that three hold': [{ roles: ['owner'] }, PAGE_OF_SOME, PAGE_OF_SOME],
    'with a role that the last thousand hold': [{ roles: ['editor'] }, PAGE_OF_SOME, COUNTED],
    'with a role that nobody holds': [{ roles: ['nobody'] }, PAGE_OF_SOME, PAGE_OF_SOME],
    'with a permission that three have': [granting('owner'), PAGE_OF_SOME, PAGE_OF_SOME],
    'with a permission that all have': [granting('owner', 'member'), PAGE_OF_SOME, LOOKED_AT],
    'found by what nearly all begin with': [inFields('p'), PAGE, LOOKED_AT],
    'found by what few begin with': [inFields('person c4ca'), FOUND, FOUND],
    'found by what hundreds begin with': [inFields('person 00'), FOUND, FOUND],
    'found by what thousands begin with': [inFields('person 0'), LOOKED_AT, LOOKED_AT],
    'found by what others begin with': [inFields('other'), LOOKED_AT, LOOKED_AT],
    'found by a word that few have': [inFields('c4ca'), FOUND, FOUND],
    'found by a word of all addresses': [inFields('example'), PAGE, LOOKED_AT],
    'found by two words that all have, and nobody in this order': [
      inFields('com example'),
      LOOKED_AT,
      LOOKED_AT,
    ],
    'some users': [{ userIds: ['u1', 'u50000', 'u100000', 'v1'] }, PAGE, PAGE],
    'some users with a role': [{ userIds: ['u3', 'u4'], roles: ['owner'] }, PAGE, PAGE],
  }
  const middle = place(50_000, 'big')
  const page = (asked: PageRequest, filter: MemberFilter, order: MemberOrder) =>
    repositories.members.listByOrganizationIds(['o0'], asked, filter, order)

  test.each(Object.keys(filters))('%s: by time', async (which) => {
    const [filter, bound] = filters[which] ?? [{}, PAGE]
    for (const order of [oldestFirst, newestFirst])
      for (const asked of pagesAround(middle))
        await expectWithin(bound, `members, ${which}`, () => page(asked, filter, order))
  })

  test.each(Object.keys(filters))('%s: by name', async (which) => {
    const [filter] = filters[which] ?? [{}]
    const names = await placeOf('name', 'users', 50_000)
    for (const asked of pagesAround({ ...names, id: 'big5' }))
      await expectWithin(
        // Once more for what is on the other side of a cursor.
        { rows: 2 * LOOKED_AT.rows, blocks: 2 * LOOKED_AT.blocks },
        `members by name, ${which}`,
        () => page(asked, filter, { field: 'USER_NAME', direction: 'ASC' }),
      )
  })

  test.each(Object.keys(filters))('%s: how many', async (which) => {
    const [filter, , bound] = filters[which] ?? [{}, PAGE, COUNTED]
    await expectWithin(bound, `members, ${which}: count`, () =>
      repositories.members.countByOrganizationIds(['o0'], filter),
    )
  })

  test('and of a hundred others beside it, each reads a page', async () => {
    const ids = Array.from({ length: 100 }, (_, i) => `o${i}`)
    const bound = { rows: 100 * PAGE.rows, blocks: 100 * PAGE.blocks }
    await expectWithin(bound, 'members of a hundred organizations', () =>
      repositories.members.listByOrganizationIds(ids, first, {}, oldestFirst),
    )
  })

  test('a page of a hundred, which is more than an organization has as a rule, reads a page', async () => {
    const bound = { rows: 5 * PAGE.rows, blocks: 5 * PAGE.blocks }
    for (const order of [oldestFirst, newestFirst])
      await expectWithin(bound, 'members, 100', () => page({ size: 100, from: 'start' }, {}, order))
  })

  test('who has a permission is found as fast for a page of a hundred', async () => {
    const bound = { rows: 5 * PAGE_OF_SOME.rows, blocks: 5 * PAGE_OF_SOME.blocks }
    await expectWithin(bound, 'members, 100 with a permission that all have', () =>
      page({ size: 100, from: 'start' }, granting('owner', 'member'), oldestFirst),
    )
  })
})

describe('of a user in a thousand organizations,', () => {
  const filters: Record<string, [filter: MembershipFilter, bound: Bound]> = {
    all: [{ scope: 'all' }, PAGE],
    none: [{ scope: 'none' }, PAGE],
    'shared with another': [{ scope: { sharedWith: 'u2000' } }, { rows: 3_000, blocks: 8_000 }],
    'with a role': [
      { scope: 'all', roles: ['owner'] },
      { rows: 2_100, blocks: 3_000 },
    ],
    'with a permission': [
      { scope: 'all', ...granting('owner') },
      { rows: 2_100, blocks: 3_000 },
    ],
  }

  test.each(Object.keys(filters))('memberships, %s', async (which) => {
    const [filter, bound] = filters[which] ?? [{ scope: 'all' }, PAGE]
    for (const asked of pagesAround({ value: '2024-01-01T08:20:00.000000Z', id: 'wide500' }))
      await expectWithin(bound, `memberships, ${which}`, () =>
        repositories.members.listByUserIds(['u1'], asked, filter),
      )
    await expectWithin({ rows: 3_000, blocks: 8_000 }, `memberships, ${which}: count`, () =>
      repositories.members.countByUserIds(['u1'], filter),
    )
  })

  test('who shares one with them reads their memberships and those of the users asked about', async () => {
    const userIds = Array.from({ length: 100 }, (_, i) => `u${i * 900 + 1002}`)
    const organizationIds = Array.from({ length: 100 }, (_, i) => `o${i * 20 + 1}`)
    await expectWithin({ rows: 2 * 1001 + 100 * 4, blocks: 10_000 }, 'visibility', () =>
      repositories.visibility.look([{ userId: 'u1', userIds, organizationIds }]),
    )
  })

  test('the roles of a hundred pairs are what is read', async () => {
    const subjects = Array.from({ length: 100 }, (_, i) => ({
      userId: `u${i + 1}`,
      organizationId: 'o0',
    }))
    await expectWithin({ rows: 2 * 100, blocks: 1_500 }, 'roles of a hundred pairs', () =>
      repositories.roles.findRoles(subjects, { dynamic: false }),
    )
  })
})

describe('of 180,000 users,', () => {
  const filters: Record<
    string,
    [filter: UserFilter, byTime: Bound, otherwise: Bound, count: Bound]
  > = {
    all: [{}, PAGE, PAGE, COUNTED],
    'with a role that three hold': [{ role: 'admin' }, PAGE_OF_SOME, LOOKED_AT, PAGE_OF_SOME],
    'with a role that nobody holds': [{ role: 'nobody' }, PAGE_OF_SOME, LOOKED_AT, PAGE_OF_SOME],
    'three banned': [{ banned: true }, PAGE, LOOKED_AT, PAGE],
    'not banned': [{ banned: false }, PAGE, PAGE, LOOKED_AT],
    'found by what nearly all begin with': [inFields('p'), LOOKED_AT, LOOKED_AT, LOOKED_AT],
    'found by what few begin with': [inFields('person c4ca'), FOUND, FOUND, FOUND],
    'found by what thousands begin with': [inFields('person 0'), LOOKED_AT, LOOKED_AT, LOOKED_AT],
    'found by a word that few have': [inFields('c4ca'), FOUND, FOUND, FOUND],
    'found by a word of all addresses': [inFields('@example'), PAGE, LOOKED_AT, LOOKED_AT],
    'made after an instant': [{ createdAfter: minute(50_000) }, PAGE, LOOKED_AT, COUNTED],
    'made before an early instant': [{ createdBefore: minute(100) }, PAGE, FOUND, COUNTED],
  }
  const page = (asked: PageRequest, filter: UserFilter, order: UserOrder) =>
    repositories.users.list(asked, filter, order)

  test.each(Object.keys(filters))('%s: by time', async (which) => {
    const [filter, bound] = filters[which] ?? [{}, PAGE]
    for (const order of [oldestFirst, newestFirst])
      for (const asked of pagesAround(place(50_000, 'u')))
        await expectWithin(bound, `users, ${which}`, () => page(asked, filter, order))
  })

  test.each(Object.keys(filters))('%s: by name and by address', async (which) => {
    const [filter, , bound] = filters[which] ?? [{}, PAGE, PAGE]
    const twice = { rows: 2 * bound.rows, blocks: 2 * bound.blocks }
    for (const field of ['NAME', 'EMAIL'] as const)
      for (const asked of pagesAround(await placeOf(field, 'users', 50_000)))
        await expectWithin(twice, `users by ${field}, ${which}`, () =>
          page(asked, filter, { field, direction: 'ASC' }),
        )
  })

  test.each(Object.keys(filters))('%s: how many', async (which) => {
    const [filter, , , bound] = filters[which] ?? [{}, PAGE, PAGE, COUNTED]
    await expectWithin(bound, `users, ${which}: count`, () => repositories.users.count(filter))
  })
})

test.each(['CREATED_AT', 'NAME'] as const)(
  'of organizations by %s, a page reads a page',
  async (field) => {
    const middle =
      field === 'NAME' ? await placeOf('name', 'organizations', 1000) : place(1000, 'o')
    for (const direction of ['ASC', 'DESC'] as const)
      for (const asked of pagesAround(middle))
        await expectWithin(PAGE, `organizations by ${field}`, () =>
          repositories.organizations.list(asked, { field, direction }),
        )
    await expectWithin(COUNTED, 'organizations: count', () => repositories.organizations.count())
  },
)

describe('of an organization with 50,000 invitations,', () => {
  const filters: Record<string, InvitationFilter> = {
    all: {},
    'pending ones': { status: 'PENDING' },
    'those that nobody rejected': { status: 'REJECTED' },
    'pending ones, for one who may not invite owners': {
      status: 'PENDING',
      onlyForHolder: { role: 'owner', userId: 'u1' },
    },
  }

  test.each(Object.keys(filters))('%s', async (which) => {
    const filter = filters[which] ?? {}
    for (const asked of pagesAround(place(25_000, 'a')))
      await expectWithin(PAGE_OF_SOME, `invitations, ${which}`, () =>
        repositories.invitations.listByOrganizationIds(['o0'], asked, filter),
      )
    await expectWithin(COUNTED, `invitations, ${which}: count`, () =>
      repositories.invitations.countByOrganizationIds(['o0'], filter),
    )
  })

  test('those to an address are what is read', async () => {
    const emails = ['p1@example.com', 'p2@example.com']
    await expectWithin(PAGE, 'invitations to two addresses', () =>
      repositories.invitations.listByEmails(emails, first, { status: 'PENDING' }),
    )
    await expectWithin(PAGE, 'invitations to two addresses: count', () =>
      repositories.invitations.countByEmails(emails, { status: 'PENDING' }),
    )
  })
})

test('of a user of whom 50,000 sessions have ended, those that have not are what is read', async () => {
  for (const asked of pagesAround(place(1, 's')))
    await expectWithin(PAGE, 'sessions', () =>
      repositories.sessions.listByUserIds(['u1', 'u2'], asked),
    )
  await expectWithin(PAGE, 'sessions: count', () =>
    repositories.sessions.countByUserIds(['u1', 'u2']),
  )
})

test('of an organization with 20,000 teams, one with 50,000 members, a page reads a page', async () => {
  for (const asked of pagesAround(place(10_000, 't')))
    await expectWithin(PAGE, 'teams', () => repositories.teams.listByOrganizationIds(['o0'], asked))
  for (const asked of pagesAround(place(25_001, 'tm')))
    await expectWithin(PAGE, 'team members', () => repositories.teams.listMembers(['t0'], asked))
  await expectWithin(PAGE, 'teams of a user', () =>
    repositories.teams.findByUserId('u1', ['o0', 'o1']),
  )
  const pairs = Array.from({ length: 100 }, (_, i) => ({
    userId: `u${i + 1}`,
    organizationId: 'o0',
  }))
  await expectWithin({ rows: 1_000, blocks: 5_000 }, 'teams of a hundred members', () =>
    repositories.teams.findByPairs(pairs),
  )
  await expectWithin(COUNTED, 'teams: count', () =>
    repositories.teams.countByOrganizationIds(['o0']),
  )
  await expectWithin(COUNTED, 'team members: count', () => repositories.teams.countMembers(['t0']))
})
