import { afterEach, beforeEach, expect, test } from 'vitest'
import type { Position } from '../../src/domain/page.ts'
import { printGraph, printOwnerSql, readLayout } from '../../src/gateway.ts'
import { canonicalise } from '../../src/introspection/canonicalise.ts'
import { pullSchema } from '../../src/introspection/engine.ts'
import { introspect } from '../../src/introspection/introspect.ts'
import { createInvitationRepository } from '../../src/postgres/invitation.ts'
import { Tables } from '../../src/postgres/tables.ts'
import { createUserRepository } from '../../src/postgres/user.ts'
import { openHouse } from '../support/client.ts'
import { createDatabase, type Database } from '../support/database.ts'
import { recordStatements } from '../support/sql-log.ts'
import { allPlugins, migrate } from './migrate.ts'
import { createProject, type Project } from './project.ts'

let database: Database
let project: Project

beforeEach(async () => {
  database = await createDatabase()
  project = await createProject()
})
afterEach(() => Promise.all([database.drop(), project.remove()]))

test('a plug-in that is not installed is marked absent, and missing from the layout', async () => {
  await database.sql('drop table team_members, teams')
  await database.sql('alter table users drop column username, drop column is_anonymous')
  const report = await write()
  expect(report.absentModels).toEqual([
    'Team',
    'TeamMember',
    'OauthClient',
    'OauthAccessToken',
    'OauthConsent',
    'Apikey',
    'Passkey',
    'SsoProvider',
    'ScimUser',
    'Subscription',
  ])
  expect(report.absentColumns).toEqual(['User.username', 'User.isAnonymous'])

  const layout = project.layout()
  expect(layout.Team).toBeNull()
  expect(layout.TeamMember).toBeNull()
  expect(layout.User?.columns).not.toHaveProperty('username')
  expect(layout.User?.columns).toHaveProperty('displayUsername')
})

test('teams without a table of who is in them, as before 1.3, are no teams, and it is said', async () => {
  await database.sql('drop table team_members')
  await database.sql('alter table teams drop member_count')
  await database.sql('alter table members add team_id text')
  const { absentModels, found, unreadTables } = await write()
  expect(absentModels).toEqual(expect.arrayContaining(['Team', 'TeamMember']))
  expect(found.map(({ model }) => model)).not.toContain('Team')
  expect(unreadTables).toEqual([
    'Team: the table "teams" is shown only with one for TeamMember, and no table fits. The graph does without the table.',
  ])
  const layout = project.layout()
  expect(layout.Team).toBeNull()
  expect(layout.Invitation?.columns).toHaveProperty('teamId')
  expect(printOwnerSql(layout, { role: 'reader', schema: 'public' })).not.toContain('teams')
  expect(printGraph(readLayout({ prismaSchema: project.schema() }))).not.toMatch(
    /\bteams\(|viewerTeams|type Team/,
  )
})

test('columns that older versions of Better Auth did not make may be missing', async () => {
  await database.sql('alter table invitations drop created_at')
  await database.sql('alter table teams drop updated_at')
  await database.sql('alter table organization_roles drop updated_at')
  await database.sql('alter table jwks drop alg, drop crv, drop expires_at')
  const { absentColumns } = await write()
  expect(absentColumns).toEqual([
    'Invitation.createdAt',
    'Team.updatedAt',
    'OrganizationRole.updatedAt',
    'Jwks.expiresAt',
    'Jwks.alg',
    'Jwks.crv',
  ])
  await database.sql(`insert into users values ('u', 'Ada', 'ada@example.com', true)`)
  await database.sql(
    `insert into organizations (id, name, slug, created_at) values ('o', 'Acme', 'acme', now())`,
  )
  for (const id of ['a', 'b', 'c'])
    await database.sql(
      `insert into invitations (id, organization_id, email, status, expires_at, inviter_id)
        values ($1, 'o', 'bob@example.com', 'pending', now(), 'u')`,
      [id],
    )
  const client = openHouse({
    url: database.url,
    layout: project.layout(),
    poolSize: 1,
    statementTimeoutMs: 2000,
  })
  const tables = new Tables(project.layout(), 'public')
  const list = (after?: Position) =>
    createInvitationRepository({ ...client, tables })
      .listByOrganizationIds(['o'], { size: 2, from: 'start', after }, {})
      .then((pages) => pages.get('o')?.items ?? [])
  const [first, second] = await list()
  expect([first, second].map((item) => item?.entity)).toMatchObject([
    { id: 'a', createdAt: null },
    { id: 'b', createdAt: null },
  ])
  expect((await list(second?.position)).map((item) => item.entity.id)).toEqual(['c'])
  await client.close()
})

test('citext is compared and ordered as citext, by its own index', async () => {
  await database.sql('create extension citext')
  await database.sql('alter table users alter email type citext')
  const people = { a: 'b@example.com', b: 'A@example.com', c: 'a@example.net' }
  for (const [id, email] of Object.entries(people))
    await database.sql('insert into users values ($1, $1, $2, true)', [id, email])
  await write()
  expect(project.layout().User?.columns.email?.type).toBe('citext')
  const client = openHouse({
    url: database.url,
    layout: project.layout(),
    poolSize: 1,
    statementTimeoutMs: 2000,
  })
  const users = createUserRepository({ ...client, tables: new Tables(project.layout(), 'public') })
  const [statement = ''] = await recordStatements(database.name, async () => {
    expect(await users.findByEmails(['a@EXAMPLE.com'])).toMatchObject([
      { id: 'b', email: people.b },
    ])
  })
  await database.sql('set enable_seqscan = off')
  const plan = await database.sql(
    `explain (costs off) ${statement.replace(/\$1\b/, `'{a@example.com}'`)}`,
  )
  expect(JSON.stringify(plan)).toContain('Index Cond: (email = ANY')

  const order = { field: 'EMAIL', direction: 'ASC' } as const
  const walked: (string | undefined)[] = []
  for (let after: Position | undefined; walked.length < 3; ) {
    const { items } = await users.list({ size: 1, from: 'start', after }, {}, order)
    walked.push(items[0]?.entity.id)
    after = items[0]?.position
  }
  expect(walked).toEqual(['b', 'c', 'a'])
  const { items } = await users.list({ size: 3, from: 'start' }, {}, order)
  expect(items.map(({ entity }) => entity.id)).toEqual(walked)
  await client.close()
})

test('users alone are enough', async () => {
  await database.sql(
    'drop table team_members, teams, invitations, members, organization_roles, organizations, sessions, accounts, jwks',
  )
  const { found } = (await look()).report
  expect(found.map(({ model }) => model)).toEqual(['User'])
})

test("Drizzle's plural layout is read: `jwkss`, and dates without a time zone", async () => {
  await database.sql('alter table jwks rename to jwkss')
  await database.sql('alter table users alter created_at type timestamp')
  await database.sql('alter table users alter updated_at type timestamp(3)')
  const { found } = await write()
  expect(found).toContainEqual({ model: 'Jwks', table: 'jwkss', recognisedBy: 'name' })
  const layout = project.layout()
  expect(layout.User?.columns.createdAt?.type).toBe('timestamp')
  expect(layout.User?.columns.updatedAt?.type).toBe('timestamp')
  expect(layout.Member?.columns.createdAt?.type).toBe('timestamptz')
})

test('renamed tables are recognised by their columns and foreign keys', async () => {
  await database.sql('alter table users rename to people')
  await database.sql('alter table organizations rename to tenants')
  await database.sql('alter table members rename to "Tenant People"')
  const { found } = await write()
  expect(found).toEqual(
    expect.arrayContaining([
      { model: 'User', table: 'people', recognisedBy: 'columns' },
      { model: 'Organization', table: 'tenants', recognisedBy: 'columns' },
      { model: 'Member', table: 'Tenant People', recognisedBy: 'columns' },
      { model: 'Session', table: 'sessions', recognisedBy: 'name' },
    ]),
  )
  expect(project.layout().Member?.name).toBe('Tenant People')
})

test("tables that only look alike are not taken for a missing plug-in's", async () => {
  await database.sql('drop table jwks, team_members, teams, members')
  await database.sql(
    'create table passkeys (id text primary key, public_key text not null, created_at timestamptz not null)',
  )
  await database.sql(
    'create table projects (id text primary key, organization_id text not null references organizations, name text not null, created_at timestamptz not null, updated_at timestamptz)',
  )
  await database.sql(
    'create table visits (id text primary key, organization_id text not null, user_id text not null, role text not null, created_at timestamptz not null)',
  )
  const { absentModels, ignoredTables } = (await look()).report
  expect(absentModels).toEqual([
    'Member',
    'Team',
    'TeamMember',
    'Jwks',
    'OauthClient',
    'OauthAccessToken',
    'OauthConsent',
    'Apikey',
    'Passkey',
    'SsoProvider',
    'ScimUser',
    'Subscription',
  ])
  expect(ignoredTables).toEqual(expect.arrayContaining(['passkeys', 'projects', 'visits']))
})

test('what is stored as uuid, enum or jsonb is said in the layout and read as text', async () => {
  const uuids = await createDatabase('empty')
  await migrate(uuids.url, {
    plugins: allPlugins,
    advanced: { database: { generateId: 'uuid' } },
  })
  await uuids.sql("create type member_role as enum ('owner', 'member')")
  await uuids.sql('alter table member alter role type member_role using role::member_role')
  await uuids.sql('alter table organization alter metadata type jsonb using metadata::jsonb')
  const [user, organization, member] = [1, 2, 3].map(
    (n) => `00000000-0000-4000-8000-00000000000${n}`,
  )
  await uuids.sql(
    `insert into "user" (id, name, email, "emailVerified") values ($1, 'Ada', 'ada@example.com', true)`,
    [user],
  )
  await uuids.sql(
    `insert into organization (id, name, slug, "createdAt", metadata) values ($1, 'Acme', 'acme', now(), '{"a": 1}')`,
    [organization],
  )
  await uuids.sql(
    `insert into member (id, "organizationId", "userId", role, "createdAt") values ($1, $2, $3, 'owner', now())`,
    [member, organization, user],
  )
  await introspect({
    databaseUrl: uuids.url,
    databaseSchema: 'public',
    schemaPath: project.schemaPath,
  })

  const layout = project.layout()
  expect(layout.Member?.columns).toMatchObject({
    id: { type: 'uuid' },
    userId: { type: 'uuid' },
    role: { type: 'enum' },
  })
  expect(layout.Organization?.columns.metadata?.type).toBe('jsonb')
  const client = openHouse({
    url: uuids.url,
    layout: project.layout(),
    poolSize: 1,
    statementTimeoutMs: 2000,
  })
  const rows = await client.models.member.findMany({
    where: { userId: { in: [user ?? '', member ?? ''] }, role: 'owner' },
    include: { organization: true },
  })
  expect(rows).toMatchObject([
    { id: member, userId: user, role: 'owner', organization: { metadata: '{"a": 1}' } },
  ])
  await client.close()
  await uuids.drop()
})

test('tables of another PostgreSQL schema are read there, without its name in the result', async () => {
  const before = await look()
  await database.sql('alter schema public rename to auth')
  await database.sql('create schema public')
  const after = await look('auth')
  expect(after).toEqual(before)
})

test('checks, indexes of all kinds, views, tables without keys and foreign keys into other schemas are no obstacle', async () => {
  await database.sql('create schema billing')
  await database.sql('create table billing.plans (id text primary key)')
  await database.sql(
    'create table subscriptions (id text primary key, plan text references billing.plans, seats int check (seats > 0))',
  )
  await database.sql(
    'create table events (at timestamptz not null, kind text, who text, unique (at, kind))',
  )
  await database.sql('create index on events (kind, at desc)')
  await database.sql(`create unique index on events (who) where kind = 'x)'`)
  await database.sql("create view admins as select * from users where role = 'admin'")
  await database.sql('create index on users (email) where banned')
  const { found, ignoredTables } = (await look()).report
  expect(found).toHaveLength(10)
  expect(ignoredTables).toEqual([
    'subscriptions',
    'two_factors',
    'verifications',
    'events',
    'admins',
  ])
})

function write() {
  return introspect({
    databaseUrl: database.url,
    databaseSchema: 'public',
    schemaPath: project.schemaPath,
  })
}

/** Introspects without generating. */
async function look(databaseSchema = 'public') {
  return canonicalise(await pullSchema(database.url, databaseSchema))
}
