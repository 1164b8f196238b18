import pg from 'pg'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { CHANNEL, triggerStatements } from '../../src/layout/trigger-sql.ts'
import { createDatabase, type Database } from '../support/database.ts'
import { layout } from '../support/layout.ts'

let database: Database
let listener: pg.Client
const heard: string[] = []

beforeAll(async () => {
  database = await createDatabase()
  const install = triggerStatements(layout, 'public').join(';\n')
  await database.sql(install)
  await database.sql(install)
  listener = new pg.Client(database.url)
  await listener.connect()
  listener.on('notification', ({ payload = '' }) => heard.push(payload))
  await listener.query(`listen ${CHANNEL}`)
})

afterAll(async () => {
  await listener.end()
  await database.drop()
})

beforeEach(async () => {
  await database.sql('truncate users, organizations cascade')
  await addPeople(3)
  await addOrganization('acme')
  await listener.query('select 1')
  heard.length = 0
})

const addPeople = (count: number, prefix = 'u') =>
  database.sql(
    `insert into users (id, name, email, email_verified)
      select $1 || n, 'N', $1 || n || '@example.com', true from generate_series(1, $2::int) n`,
    [prefix, count],
  )
const addOrganization = (id: string) =>
  database.sql(
    `insert into organizations (id, name, slug, created_at) values ($1, $1, $1, now())`,
    [id],
  )
/** Makes everybody a member of each of these. */
const join = (...organizations: string[]) =>
  database.sql(
    `insert into members (id, organization_id, user_id, role, created_at)
      select o || '-' || id, o, id, 'member', now() from users, unnest($1::text[]) o`,
    [organizations],
  )

/** What was told since the last time, each list of ids in order. */
async function told(): Promise<unknown[]> {
  await listener.query('select 1')
  return heard.splice(0).map((payload) => {
    const { users, organizations, ...rest } = JSON.parse(payload)
    return {
      ...(users && { users: users.toSorted() }),
      ...(organizations && { organizations: organizations.toSorted() }),
      ...rest,
    }
  })
}

const everybody = { users: ['u1', 'u2', 'u3'] }
const all = { all: true }

test('members are told of by person: added, changed, moved, removed', async () => {
  await join('acme')
  expect(await told()).toEqual([everybody])
  await database.sql(`update members set role = 'admin' where user_id = 'u2'`)
  expect(await told()).toEqual([{ users: ['u2'] }])
  await database.sql(`update members set user_id = 'u1' where user_id = 'u2'`)
  expect(await told()).toEqual([{ users: ['u1', 'u2'] }])
  await database.sql(`delete from members where user_id = 'u3'`)
  expect(await told()).toEqual([{ users: ['u3'] }])
  await database.sql(`delete from members where user_id = 'nobody'`)
  expect(await told()).toEqual([])
})

test('roles are told of by organization', async () => {
  await database.sql(
    `insert into organization_roles (id, organization_id, role, permission) values ('r', 'acme', 'clerk', '{}')`,
  )
  expect(await told()).toEqual([{ organizations: ['acme'] }])
  await database.sql(`update organization_roles set permission = '{"a":["b"]}'`)
  expect(await told()).toEqual([{ organizations: ['acme'] }])
  await database.sql('delete from organization_roles')
  expect(await told()).toEqual([{ organizations: ['acme'] }])
})

test('of users, bans and deletions are told, and nothing else', async () => {
  await addPeople(1, 'new')
  await database.sql(`update users set name = 'Other', updated_at = now()`)
  expect(await told()).toEqual([])
  await database.sql(`update users set banned = true where id in ('u1', 'u2')`)
  expect(await told()).toEqual([{ users: ['u1', 'u2'] }])
  await database.sql(`update users set ban_expires = now() where id = 'u1'`)
  expect(await told()).toEqual([{ users: ['u1'] }])
  await database.sql(`update users set banned = true where id in ('u1', 'u2')`)
  expect(await told()).toEqual([])
  await database.sql(`delete from users where id = 'u1'`)
  expect(await told()).toEqual([{ users: ['u1'] }])
})

describe('however much a statement changes, it is one short message:', () => {
  test('a large organization by its name', async () => {
    await addPeople(5000, 'many')
    await join('acme')
    expect(await told()).toEqual([{ organizations: ['acme'] }])
    await database.sql(`delete from organizations where id = 'acme'`)
    expect(await told()).toEqual([{ organizations: ['acme'] }])
  })

  test('more people and organizations than are named as all', async () => {
    const organizations = Array.from({ length: 30 }, (_, i) => `o${i}`)
    for (const id of organizations) await addOrganization(id)
    await addPeople(30, 'many')
    await join(...organizations)
    expect(await told()).toEqual([all])
    await database.sql('update users set banned = true')
    expect(await told()).toEqual([all])
    await database.sql('truncate members')
    expect(await told()).toEqual([all])
  })

  test('ids that are too long for a notification as all, and the change is made', async () => {
    await addPeople(10, 'x'.repeat(2000))
    await join('acme')
    expect(await told()).toEqual([all])
    expect(await database.sql('select count(*)::int from members')).toEqual([{ count: 13 }])
  })
})

test('a change that is rolled back is not told', async () => {
  const client = new pg.Client(database.url)
  await client.connect()
  await client.query(`begin; update users set banned = true; rollback`)
  expect(await told()).toEqual([])
  await client.end()
})

test('tables and columns are called what the layout calls them', () => {
  const { Member, User } = layout
  if (!Member || !User) throw new Error('These are always there.')
  const odd = {
    ...layout,
    Member: {
      name: `Mem"ber's`,
      columns: { ...Member.columns, userId: { name: 'userId', type: 'text' as const } },
    },
    OrganizationRole: null,
    User: { name: 'user', columns: { id: { name: 'ID', type: 'uuid' as const } } },
  }
  const sql = triggerStatements(odd, 'Au"th').join(';\n')
  expect(sql).toContain(`on "Au""th"."Mem""ber''s" referencing`)
  expect(sql).toContain('select distinct "userId"::text')
  expect(sql).not.toContain('roles_changed')
  expect(sql).not.toMatch(/create trigger \S+ after update on "Au""th"."user"/)
  expect(triggerStatements({ ...odd, Member: null }, 'public')).toEqual([])
})
