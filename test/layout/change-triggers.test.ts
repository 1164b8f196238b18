import pg from 'pg'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { Notice } from '../../src/domain/changes.ts'
import { CHANGES_CHANNEL, decodeChanges } from '../../src/layout/change-notification.ts'
import { changeTriggerStatements, changeTriggersOf } from '../../src/layout/change-trigger-sql.ts'
import type { Layout, Table } from '../../src/layout/layout.ts'
import { MOST_BYTES } from '../../src/layout/statement-trigger.ts'
import { createDatabase, type Database } from '../support/database.ts'
import { layout } from '../support/layout.ts'

let database: Database
let listener: pg.Client
const heard: string[] = []

beforeAll(async () => {
  database = await createDatabase()
  const install = changeTriggerStatements(layout, 'public').join(';\n')
  await database.sql(install)
  await database.sql(install)
  await database.sql('alter table users add column data json')
  listener = new pg.Client(database.url)
  await listener.connect()
  listener.on('notification', ({ payload = '' }) => heard.push(payload))
  await listener.query(`listen ${CHANGES_CHANNEL}`)
})

afterAll(async () => {
  await listener.end()
  await database.drop()
})

beforeEach(async () => {
  await database.sql('truncate users, organizations cascade')
  await people(3)
  await database.sql(
    `insert into organizations (id, name, slug, created_at)
      select o, o, o, now() from unnest(array['acme', 'evil']) o`,
  )
  await database.sql(
    `insert into teams (id, name, organization_id, member_count, created_at)
      values ('t', 'T', 'acme', 0, now())`,
  )
  await listener.query('select 1')
  heard.length = 0
})

const people = (count: number, prefix = 'u') =>
  database.sql(
    `insert into users (id, name, email, email_verified)
      select $1 || n, 'N', $1 || n || '@example.com', true from generate_series(1, $2::int) n`,
    [prefix, count],
  )

/** What was told since the last time, joined; how many notifications it took is told beside it. */
async function told(): Promise<{ readonly in: number; readonly [list: string]: unknown }> {
  await listener.query('select 1')
  const payloads = heard.splice(0)
  const lists: Record<string, string[]> = {}
  let all = false
  for (const payload of payloads) {
    expect(Buffer.byteLength(payload)).toBeLessThanOrEqual(MOST_BYTES)
    const notice = decodeChanges(payload)
    expect([payload, notice]).not.toEqual([payload, null])
    if (notice === 'all') all = true
    else
      for (const [list, ids] of Object.entries(notice ?? {}))
        lists[list] = [...(lists[list] ?? []), ...ids]
  }
  for (const ids of Object.values(lists)) ids.sort()
  return { in: payloads.length, ...(all && { all }), ...lists }
}

const { sql } = { sql: (text: string, values?: readonly unknown[]) => database.sql(text, values) }

describe('what is told of', () => {
  test('accounts: that they have changed or are gone, and not that they are new', async () => {
    await people(1, 'new')
    expect(await told()).toEqual({ in: 0 })
    await sql(`update users set name = 'M', data = '{"a": [1]}' where id = 'u1'`)
    expect(await told()).toEqual({ in: 1, users: ['u1'] })
    await sql(`update users set id = 'u9' where id = 'u2'`)
    expect(await told()).toEqual({ in: 1, users: ['u2', 'u9'] })
    await sql(`delete from users where id = 'u3'`)
    expect(await told()).toEqual({ in: 1, users: ['u3'] })
  })

  test('sessions', async () => {
    await sql(`insert into sessions (id, user_id, token, expires_at, created_at, updated_at)
      select 's' || n, 'u1', 't' || n, now(), now(), now() from generate_series(1, 3) n`)
    expect(await told()).toEqual({ in: 1, sessions: ['u1'] })
    await sql('update sessions set expires_at = now()')
    expect(await told()).toEqual({ in: 1, sessions: ['u1'] })
    await sql(`delete from sessions where id = 's1'`)
    expect(await told()).toEqual({ in: 1, sessions: ['u1'] })
  })

  test('members, of both their users and their organizations', async () => {
    await sql(`insert into members (id, organization_id, user_id, role, created_at)
      values ('m', 'acme', 'u1', 'member', now())`)
    expect(await told()).toEqual({ in: 2, users: ['u1'], organizations: ['acme'] })
    await sql(`update members set organization_id = 'evil', user_id = 'u2'`)
    expect(await told()).toEqual({ in: 2, users: ['u1', 'u2'], organizations: ['acme', 'evil'] })
    await sql('delete from members')
    expect(await told()).toEqual({ in: 2, users: ['u2'], organizations: ['evil'] })
  })

  test('roles and organizations', async () => {
    await sql(`insert into organization_roles (id, organization_id, role, permission, created_at)
      values ('r', 'acme', 'clerk', '{}', now())`)
    expect(await told()).toEqual({ in: 1, everyoneIn: ['acme'] })
    await sql(`update organization_roles set role = 'other'`)
    expect(await told()).toEqual({ in: 1, everyoneIn: ['acme'] })
    await sql(`update organizations set metadata = '{}' where id = 'evil'`)
    expect(await told()).toEqual({ in: 1, organizations: ['evil'] })
  })

  test('teams and who is in them, whatever went first', async () => {
    await sql(`update teams set name = 'U', organization_id = 'evil'`)
    expect(await told()).toEqual({ in: 1, organizations: ['acme', 'evil'] })
    await sql(
      `insert into team_members (id, team_id, user_id, created_at) values ('x', 't', 'u1', now())`,
    )
    expect(await told()).toEqual({ in: 2, users: ['u1'], organizations: ['evil'] })
    await sql(`delete from teams where id = 't'`)
    const gone = await told()
    expect(gone.organizations).toEqual(['evil'])
    expect(gone.users).toEqual(['u1'])
  })

  test('cascades, of everything they take along', async () => {
    await sql(`insert into members (id, organization_id, user_id, role, created_at)
      select id, 'acme', id, 'member', now() from users`)
    await told()
    await sql(`delete from organizations where id = 'acme'`)
    const { in: _, ...lists } = await told()
    expect(lists).toMatchObject({ users: ['u1', 'u2', 'u3'] })
    expect(new Set(lists.organizations as string[])).toEqual(new Set(['acme']))
  })

  test('nothing, where nothing was changed or what was is taken back', async () => {
    await sql(`update users set name = 'M' where id = 'nobody'`)
    await sql(`delete from members`)
    await sql(`delete from team_members`)
    const client = new pg.Client(database.url)
    await client.connect()
    await client.query(`begin; update users set name = 'M'; rollback`)
    await client.end()
    expect(await told()).toEqual({ in: 0 })
  })
})

describe('however much a statement changes', () => {
  test.each([
    [0, 0],
    [1, 1],
    [100, 1],
    [101, 2],
    [1000, 10],
  ])('%i ids are told one by one, in %i notifications', async (count, notifications) => {
    await people(count, 'many-')
    await sql(`update users set name = 'M' where id like 'many-%'`)
    const { in: sent, all, users = [] } = await told()
    expect([sent, all]).toEqual([notifications, undefined])
    expect(new Set(users as string[]).size).toBe(count)
  })

  test('more of them are all, in one', async () => {
    await people(1001, 'many-')
    await sql(`update users set name = 'M' where id like 'many-%'`)
    expect(await told()).toEqual({ in: 1, all: true })
  })

  test('long ids, and those that JSON writes longer, are all, and the change is made', async () => {
    for (const prefix of ['x'.repeat(250), '"'.repeat(60), '\\\n'.repeat(40), 'ü€𐍈'.repeat(20)]) {
      await people(90, prefix)
      await sql('update users set name = $2 where id like $1', [
        `${prefix.replaceAll('\\', '\\\\')}%`,
        'Y',
      ])
      const { in: sent, all, users = [] } = await told()
      expect(sent).toBe(1)
      if (!all) expect(users).toHaveLength(90)
      await sql('delete from users where name = $1', ['Y'])
      await told()
    }
    await people(1, 'z'.repeat(2500))
    await sql(`update users set name = 'Z' where id like 'zz%'`)
    expect((await told()).users).toEqual([`${'z'.repeat(2500)}1`])
  })

  test.each([
    'users',
    'organizations',
    'sessions',
    'members',
    'organization_roles',
    'teams',
    'team_members',
  ])('all of %s are all', async (table) => {
    await sql(`truncate ${table} cascade`)
    expect(await told()).toMatchObject({ all: true })
  })
})

test('whoever may write to a table may go on doing so, though they read no other', async () => {
  await sql('create role writer')
  try {
    await sql('grant insert, delete, select on team_members to writer')
    const client = new pg.Client(database.url)
    client.on('error', () => {})
    await client.connect()
    await client.query('set role writer')
    await client.query(
      `insert into team_members (id, team_id, user_id, created_at) values ('x', 't', 'u1', now())`,
    )
    expect(await told()).toEqual({ in: 2, users: ['u1'], organizations: ['acme'] })
    await client.end()
  } finally {
    await sql('drop owned by writer; drop role writer')
  }
})

describe('tables are as the layout has them:', () => {
  test('quoted names, ids that are numbers or UUIDs, partitions, and views, which are passed by', async () => {
    const uuid = '00000000-0000-4000-8000-000000000001'
    await sql(`create schema "Au""th";
      create table "Au""th"."Us'er" ("ID" bigint, "na""me" text, js json) partition by range ("ID");
      create table "Au""th".part partition of "Au""th"."Us'er" for values from (0) to (1000000);
      create table "Au""th"."org" ("Id" uuid, name text);
      create table "Au""th"."Mem""ber's" ("userId" bigint, "orgId" uuid);
      create view "Au""th".sessions as select 1::bigint as u`)
    const table = (of: Table | null, name: string, columns: Record<string, string>): Table => ({
      ...(of as Table),
      name,
      columns: Object.fromEntries(
        Object.entries(columns).map(([field, column]) => [field, { name: column, type: 'text' }]),
      ),
    })
    const odd: Layout = {
      ...layout,
      User: table(layout.User, "Us'er", { id: 'ID' }),
      Organization: table(layout.Organization, 'org', { id: 'Id' }),
      Member: table(layout.Member, `Mem"ber's`, { userId: 'userId', organizationId: 'orgId' }),
      Session: table(layout.Session, 'sessions', { userId: 'u' }),
      ...{ OrganizationRole: null, Team: null, TeamMember: null },
    }
    const install = changeTriggerStatements(odd, 'Au"th').join(';\n')
    await sql(install)
    await sql(install)
    await sql(
      `insert into "Au""th"."Us'er" values (1, 'a', '{}'), (2, 'b', null), (null, 'c', '{}')`,
    ).catch(() => sql(`insert into "Au""th"."Us'er" values (1, 'a', '{}'), (2, 'b', null)`))
    await sql(`update "Au""th"."Us'er" set "na""me" = 'x'`)
    expect(await told()).toEqual({ in: 1, users: ['1', '2'] })
    await sql(`insert into "Au""th".org values ($1, 'o')`, [uuid])
    await sql(`update "Au""th".org set name = 'p'`)
    await sql(`insert into "Au""th"."Mem""ber's" values (1, $1), (1, null), (null, $1)`, [uuid])
    expect(await told()).toEqual({ in: 3, users: ['1'], organizations: [uuid, uuid] })
    expect(changeTriggersOf(odd).map(({ table: name }) => name)).toContain("Us'er")
    await sql('drop schema "Au""th" cascade')
  })

  test('a table that is not there is not watched', () => {
    const none = Object.fromEntries(Object.keys(layout).map((name) => [name, null]))
    expect(changeTriggerStatements(none as unknown as Layout, 'public')).toEqual([])
  })
})

describe('what anybody else notifies', () => {
  test.each([
    '',
    'x',
    '{',
    'null',
    '[]',
    '{}',
    '"all"',
    '{"all":false}',
    '{"users":[]}',
    '{"users":"u1"}',
    '{"users":[1]}',
    '{"users":[null]}',
    '{"others":["u1"]}',
    '{"users":{"0":"u1"}}',
    '{"__proto__":{"all":true}}',
    '{"constructor":["u1"]}',
    '{"users":["u1"],"sessions":[1]}',
  ])('says nothing: %s', (payload) => {
    expect(decodeChanges(payload)).toBeNull()
  })

  test('says no more than it names', () => {
    const payload = '{"users":["u1"],"probe":"x","__proto__":{"all":true}}'
    expect(decodeChanges(payload)).toEqual({ users: ['u1'] } satisfies Notice)
    expect(decodeChanges('{"all":true,"users":["u1"]}')).toBe('all')
    expect(decodeChanges(`${'['.repeat(3000)}`)).toBeNull()
  })
})
