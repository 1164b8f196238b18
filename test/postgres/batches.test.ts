import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { CountsByParent, Page, PageRequest, Position } from '../../src/domain/page.ts'
import type { Database as Client } from '../../src/postgres/client.ts'
import { createInvitationRepository } from '../../src/postgres/invitation.ts'
import { createMemberRepository } from '../../src/postgres/member.ts'
import { createSessionRepository } from '../../src/postgres/session.ts'
import { Tables } from '../../src/postgres/tables.ts'
import { createTeamRepository } from '../../src/postgres/team.ts'
import { openHouse } from '../support/client.ts'
import { createDatabase, type Database } from '../support/database.ts'
import { layout } from '../support/layout.ts'
import { byTime, type Entry, entries, pageOf, start } from './plain-list.ts'

let database: Database
let client: Client

beforeAll(async () => {
  database = await createDatabase()
  client = openHouse({ url: database.url })
  await database.sql(`insert into users (id, name, email, email_verified, created_at, updated_at)
    select 'p' || i, 'P', 'p' || i, true, now(), now() from generate_series(0, 3) i`)
  await database.sql(`insert into organizations (id, name, slug, created_at)
    select 'p' || i, 'P', 'p' || i, now() from generate_series(0, 3) i`)
  await database.sql(`insert into teams (id, organization_id, name, member_count, created_at)
    select 'p' || i, 'p3', 'P', 0, now() from generate_series(0, 3) i`)
})

afterAll(async () => {
  await client.close()
  await database.drop()
})

interface Batch {
  readonly table: string
  /** Of entries `e` whose parent is `p<kind>`, created at `$2`. */
  readonly fill: string
  list(ids: readonly string[], page: PageRequest): Promise<ReadonlyMap<string, Page<Placed>>>
  count(ids: readonly string[]): Promise<CountsByParent>
}

interface Placed {
  readonly position: Position
}

const oldestFirst = { field: 'CREATED_AT', direction: 'ASC' } as const

function batches(): Record<string, Batch> {
  const tables = new Tables(layout, 'public')
  const members = createMemberRepository({ ...client, tables })
  const invitations = createInvitationRepository({ ...client, tables })
  const teams = createTeamRepository({ ...client, tables })
  const sessions = createSessionRepository({ ...client, tables })
  return {
    'members of organizations': {
      table: 'members',
      fill: `insert into members (id, organization_id, user_id, role, created_at)
        select id, 'p' || kind, 'p0', role, at from e`,
      list: (ids, page) => members.listByOrganizationIds(ids, page, {}, oldestFirst),
      count: (ids) => members.countByOrganizationIds(ids, {}),
    },
    'memberships of users': {
      table: 'members',
      fill: `insert into members (id, organization_id, user_id, role, created_at)
        select id, 'p0', 'p' || kind, role, at from e`,
      list: (ids, page) => members.listByUserIds(ids, page, { scope: 'all' }),
      count: (ids) => members.countByUserIds(ids, { scope: 'all' }),
    },
    'invitations of organizations': {
      table: 'invitations',
      fill: `insert into invitations (id, organization_id, email, role, status, expires_at, created_at, inviter_id)
        select id, 'p' || kind, 'p', role, 'pending', now(), at, 'p0' from e`,
      list: (ids, page) => invitations.listByOrganizationIds(ids, page, {}),
      count: (ids) => invitations.countByOrganizationIds(ids, {}),
    },
    'invitations to addresses': {
      table: 'invitations',
      fill: `insert into invitations (id, organization_id, email, role, status, expires_at, created_at, inviter_id)
        select id, 'p0', 'p' || kind, role, 'pending', now(), at, 'p0' from e`,
      list: (ids, page) => invitations.listByEmails(ids, page, {}),
      count: (ids) => invitations.countByEmails(ids, {}),
    },
    'teams of organizations': {
      table: "teams where name = 'entry'",
      fill: `insert into teams (id, organization_id, name, member_count, created_at)
        select id, 'p' || kind, 'entry', 0, at from e where kind < 3`,
      list: (ids, page) => teams.listByOrganizationIds(ids, page),
      count: (ids) => teams.countByOrganizationIds(ids),
    },
    'members of teams': {
      table: 'team_members',
      fill: `insert into team_members (id, team_id, user_id, membership_key, created_at)
        select id, 'p' || kind, 'p0', id, at from e`,
      list: (ids, page) => teams.listMembers(ids, page),
      count: (ids) => teams.countMembers(ids),
    },
    'sessions of users': {
      table: 'sessions',
      fill: `insert into sessions (id, user_id, token, expires_at, created_at, updated_at)
        select id, 'p' || kind, id, now() + interval '1 day', at, now() from e`,
      list: (ids, page) => sessions.listByUserIds(ids, page),
      count: (ids) => sessions.countByUserIds(ids),
    },
  }
}

async function check({ table, fill, list, count }: Batch): Promise<void> {
  const parents = fc.uniqueArray(fc.constantFrom('p0', 'p1', 'p2', 'unknown'), { minLength: 1 })
  const size = fc.integer({ min: 1, max: 5 })
  const from = fc.constantFrom('start', 'end')
  const place = fc.option(fc.nat({ max: 11 }), { nil: undefined, freq: 2 })
  const property = fc.asyncProperty(
    entries,
    parents,
    fc.record({ size, from, after: place, before: place }),
    async (all, ids, asked) => {
      await database.sql(`delete from ${table}`)
      await database.sql(
        `with e as (select id, kind, role, '${start}'::timestamptz + at * interval '1 microsecond' as at
           from jsonb_to_recordset($1) as e (id text, at int, role text, kind int)) ${fill}`,
        [JSON.stringify(all)],
      )
      const sorted = all.toSorted(byTime)
      const own = (parent: string) => (entry: Entry) => `p${entry.kind}` === parent
      const positions = await positionsOf(list)
      const cursor = (index: number | undefined) => {
        const known = sorted.filter(({ id }) => positions.has(id))
        return index === undefined ? undefined : known[index % known.length]
      }
      const [after, before] = [cursor(asked.after), cursor(asked.before)]
      const pages = await list(ids, {
        ...asked,
        after: after && positions.get(after.id),
        before: before && positions.get(before.id),
      })
      const counts = await count(ids)
      for (const parent of ids) {
        const { totalCount, ...page } = pageOf(sorted, own(parent), { ...asked, after, before })
        const { items = [], ...rest } = pages.get(parent) ?? {}
        expect({ ids: items.map(({ position }) => position.id), ...rest }).toEqual(page)
        expect(counts.get(parent)).toEqual({ count: totalCount, isExact: true })
      }
      expect([...pages.keys()].toSorted()).toEqual(ids.toSorted())
    },
  )
  await fc.assert(property, { numRuns: 40 })
}

/** Cursors may come from any parent's list: a place is a time and an id. */
async function positionsOf(list: Batch['list']): Promise<Map<string, Position>> {
  const pages = await list(['p0', 'p1', 'p2'], { size: 100, from: 'start' })
  const positions = [...pages.values()].flatMap(({ items }) => items.map((item) => item.position))
  return new Map(positions.map((position) => [position.id, position]))
}

test.each([
  'members of organizations',
  'memberships of users',
  'invitations of organizations',
  'invitations to addresses',
  'teams of organizations',
  'members of teams',
  'sessions of users',
])('read together, %s are what each alone would give', async (name) => {
  const batch = batches()[name]
  if (batch) await check(batch)
})

test('a membership of somebody who is gone, as there may be without a foreign key, is in no list', async () => {
  await database.sql('alter table members drop constraint members_user_id_fkey')
  await database.sql(`delete from members`)
  await database.sql(
    `insert into members (id, organization_id, user_id, role, created_at)
     values ('there', 'p0', 'p0', 'member', now()), ('gone', 'p0', 'gone', 'member', now())`,
  )
  const members = createMemberRepository({ ...client, tables: new Tables(layout, 'public') })
  for (const filter of [{}, { roles: ['member'] }, { userIds: ['p0', 'gone'] }]) {
    const pages = await members.listByOrganizationIds(
      ['p0'],
      { size: 5, from: 'start' },
      filter,
      oldestFirst,
    )
    expect(pages.get('p0')?.items.map(({ position }) => position.id)).toEqual(['there'])
    const counts = await members.countByOrganizationIds(['p0'], filter)
    expect(counts.get('p0')).toEqual({ count: 1, isExact: true })
  }
})
