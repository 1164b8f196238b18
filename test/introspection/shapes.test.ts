import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { printGraph, printOwnerSql, readLayout } from '../../src/gateway.ts'
import { introspect, type Report } from '../../src/introspection/introspect.ts'
import { asSuperuser } from '../support/database.ts'
import type { GatewayUnderTest } from '../support/gateway.ts'
import { world } from '../support/world.ts'
import { createProject, type Project } from './project.ts'

/*
 * Tables as applications really have them: what introspection makes of them, and that a gateway reads what was accepted.
 * Each change is made to the tables of a world and taken back.
 */

const { gatewayWith, identity, services, sql, ada, bob, carol, eve, acme, evil } = await world({
  own: true,
})
const role = `shapes_${randomBytes(6).toString('hex')}`
let project: Project
beforeAll(async () => {
  project = await createProject()
})
afterAll(async () => {
  await project.remove()
  await sql(`drop owned by ${role}`)
  await asSuperuser(`drop role ${role}`)
})

function run(databaseSchema = 'public', overridesPath?: string): Promise<Report> {
  return introspect({
    databaseUrl: identity.ownerUrl,
    databaseSchema,
    overridesPath,
    schemaPath: project.schemaPath,
    verify: (prismaSchema) => void printGraph(readLayout({ prismaSchema })),
  })
}

/** A gateway as the role that the printed SQL makes. */
async function serving(schema = 'public'): Promise<GatewayUnderTest> {
  await sql(printOwnerSql(project.layout(), { role, schema }))
  await asSuperuser(`alter role ${role} password 'reader'`)
  const url = new URL(identity.ownerUrl)
  url.username = role
  url.password = 'reader'
  const gateway = gatewayWith({
    DATABASE_URL: url.href,
    DATABASE_SCHEMA: schema,
    PRISMA_SCHEMA_FILE: project.schemaPath,
  })
  await gateway.verify()
  return gateway
}

async function answer(
  gateway: GatewayUnderTest,
  query: string,
  who: { jwt(): Promise<string> } | 'service' = ada,
) {
  const token =
    who === 'service'
      ? await services.token('identity:read identity:pii permissions:check')
      : await who.jwt()
  const { data, errors } = await gateway.graphql(query, { token })
  expect(errors, gateway.logged.slice(-3).join('')).toEqual([])
  return data
}

describe('NULL where Better Auth has none', () => {
  beforeEach(async () => {
    await sql('alter table users alter name drop not null, alter email drop not null')
    await sql(
      'alter table users alter email_verified drop not null, alter created_at drop not null',
    )
    await sql('alter table organizations alter slug drop not null, alter name drop not null')
    await sql('alter table members alter created_at drop not null, alter user_id drop not null')
    await sql('alter table accounts alter updated_at drop not null, alter user_id drop not null')
  })

  test('reads as a text without characters, as no, as the epoch, and a slug as the id', async () => {
    await sql('update users set name = null, created_at = null where id = $1', [bob.id])
    await sql('update users set email = null, email_verified = null where id = $1', [carol.id])
    await sql('update organizations set slug = null where id = $1', [acme.id])
    await sql('update accounts set updated_at = null where user_id = $1', [ada.id])
    await run()
    const gateway = await serving()
    const data = await answer(
      gateway,
      `{
        bob: user(id: "${bob.id}") { name createdAt }
        carol: user(id: "${carol.id}") { email emailVerified }
        organization(id: "${acme.id}") { slug name }
      }`,
      'service',
    )
    expect(data).toEqual({
      bob: { name: '', createdAt: '1970-01-01T00:00:00.000Z' },
      carol: { email: null, emailVerified: false },
      organization: { slug: acme.id, name: 'Acme' },
    })
    const invited = await answer(
      gateway,
      '{ viewer { receivedInvitations { totalCount } } }',
      carol,
    )
    expect(invited.viewer.receivedInvitations.totalCount).toBe(0)
    const own = await answer(gateway, '{ viewer { accounts { updatedAt } } }')
    expect(own.viewer.accounts).toEqual([{ updatedAt: '1970-01-01T00:00:00.000Z' }])
    await sql('update organizations set slug = $1 where id = $2', [acme.slug, acme.id])
  })

  test('keeps its place in every order, page by page', async () => {
    await sql('update users set name = null, created_at = null where id in ($1, $2)', [
      bob.id,
      carol.id,
    ])
    await sql('update members set created_at = null where user_id = $1', [bob.id])
    await run()
    const gateway = await serving()
    for (const field of ['NAME', 'CREATED_AT', 'EMAIL'])
      expect(await pages(gateway, field)).toHaveLength(8)
    const { organization } = await answer(
      gateway,
      `{ organization(id: "${acme.id}") { members(first: 10) { totalCount nodes { user { id } } } } }`,
    )
    expect(organization.members.nodes.map(({ user }: { user: { id: string } }) => user.id)).toEqual(
      [bob.id, ada.id, carol.id],
    )
  })

  async function pages(gateway: GatewayUnderTest, field: string) {
    const ids: string[] = []
    let after: string | null = null
    do {
      const { users } = await answer(
        gateway,
        `{ users(first: 3, orderBy: {field: ${field}, direction: ASC}${after ? `, after: "${after}"` : ''}) {
            nodes { id } pageInfo { hasNextPage endCursor } } }`,
        'service',
      )
      ids.push(...users.nodes.map(({ id }: { id: string }) => id))
      after = users.pageInfo.hasNextPage ? users.pageInfo.endCursor : null
    } while (after !== null)
    return [...new Set(ids)]
  }

  test('a member without a role may do nothing', async () => {
    await sql('alter table members alter role drop not null')
    await sql('update members set role = null where user_id = $1', [bob.id])
    await run()
    const { can, checkPermissions } = await answer(
      await serving(),
      `{ can(organizationId: "${acme.id}", permission: "leave:approve")
         checkPermissions(checks: [{organizationId: "${acme.id}", permission: "leave:approve"}]) { allowed roles } }`,
      bob,
    )
    expect(can).toBe(false)
    expect(checkPermissions).toEqual([{ allowed: false, roles: [] }])
    await sql(`update members set role = 'member,approver' where user_id = $1`, [bob.id])
    await sql('alter table members alter role set not null')
  })

  test('a membership of nobody is none', async () => {
    await sql('update members set user_id = null where user_id = $1', [carol.id])
    await run()
    const { organization } = await answer(
      await serving(),
      `{ organization(id: "${acme.id}") { members { totalCount nodes { user { name } } } } }`,
    )
    expect(organization.members.totalCount).toBe(2)
    expect(organization.members.nodes).toHaveLength(2)
    await sql('update members set user_id = $1 where user_id is null', [carol.id])
  })
})

describe('columns of other types', () => {
  test.each([
    ['roles as an array', `text[] using string_to_array(role, ',')`],
    ['roles as an array of an enumeration', `held[] using string_to_array(role, ',')::held[]`],
    ['roles as a list in JSON', `jsonb using to_jsonb(string_to_array(role, ','))`],
    ['roles as a list in text JSON', `json using to_json(string_to_array(role, ','))`],
    ['roles as a text in JSON', `jsonb using to_jsonb(role)`],
  ])('%s are the same roles', async (_, type) => {
    await sql(
      `do $$ begin create type held as enum ('owner', 'member', 'approver'); exception when duplicate_object then null; end $$`,
    )
    // Prisma makes lists that may be NULL.
    await sql(`alter table members alter role type ${type}, alter role drop not null`)
    await run()
    const gateway = await serving()
    const query = `{
      can(organizationId: "${acme.id}", permission: "leave:approve")
      organization(id: "${acme.id}") {
        members(filter: {roles: ["approver"]}) { nodes { roles user { id } } }
        holders: members(filter: {permission: "leave:approve"}) { totalCount }
      }
    }`
    const data = await answer(gateway, query, bob)
    expect(data.can).toBe(true)
    expect(data.organization.members.nodes).toEqual([
      { roles: ['member', 'approver'], user: { id: bob.id } },
    ])
    expect(data.organization.holders.totalCount).toBeGreaterThan(0)
    await sql(`alter table members alter role type text using 'member'`)
    await sql(
      `update members set role = case user_id when $1 then 'owner' when $2 then 'owner' when $3 then 'member,approver' else 'member' end`,
      [ada.id, eve.id, bob.id],
    )
  })

  test('an address of the network is text, without the mask that a host has not', async () => {
    await sql('alter table sessions alter ip_address type inet using null')
    await sql(`update sessions set ip_address = '192.0.2.7' where user_id = $1`, [ada.id])
    await run()
    const { viewer } = await answer(
      await serving(),
      '{ viewer { sessions { nodes { ipAddress } } } }',
    )
    expect(
      new Set(viewer.sessions.nodes.map(({ ipAddress }: { ipAddress: string }) => ipAddress)),
    ).toEqual(new Set(['192.0.2.7']))
  })

  test('a flag that is a number is yes unless it is 0, and bans whom it should', async () => {
    await sql('alter table users alter banned type smallint using coalesce(banned, false)::int')
    await sql('update users set banned = 1 where id = $1', [carol.id])
    await run()
    const gateway = await serving()
    const token = await carol.jwt()
    const { errors } = await gateway.graphql('{ viewer { id } }', { token })
    expect(errors).toMatchObject([{ extensions: { code: 'UNAUTHENTICATED' } }])
    const { users } = await answer(
      gateway,
      '{ users(filter: {banned: true}) { nodes { id banned } } }',
      'service',
    )
    expect(users.nodes).toEqual([{ id: carol.id, banned: true }])
    await sql('alter table users alter banned type boolean using false')
  })

  test('what cannot be read and need not be is left out, and said', async () => {
    await sql('alter table users alter ban_expires type bigint using null')
    await sql('alter table users alter image type bytea using null')
    const { unreadColumns, absentColumns } = await run()
    expect(unreadColumns).toEqual([
      'User.image: the column "users"."image" is of Prisma type Bytes; it must be text, citext, uuid, enum, inet, jsonb, json. The graph leaves it out.',
      'User.banExpires: the column "users"."ban_expires" is of Prisma type BigInt; it must be timestamptz, timestamp, date. The graph leaves it out.',
    ])
    expect(absentColumns).toEqual(expect.arrayContaining(['User.image', 'User.banExpires']))
    const { viewer } = await answer(await serving(), '{ viewer { id image } }')
    expect(viewer).toEqual({ id: ada.id, image: null })
    await sql(
      'alter table users alter ban_expires type timestamptz using null, alter image type text using null',
    )
  })

  test('what tells who may do what is not left out', async () => {
    await sql('alter table users alter banned type text using null')
    await expect(run()).rejects.toThrow(
      /User\.banned: .* is of Prisma type String; it must be boolean, number\./,
    )
    await sql('alter table users alter banned type boolean using null')
    await sql('alter table jwks alter expires_at type bigint using null')
    await expect(run()).rejects.toThrow(/Jwks\.expiresAt: .* is of Prisma type BigInt/)
    await sql('alter table jwks alter expires_at type timestamptz using null')
  })

  test('a domain is what it is made of', async () => {
    await sql(`create domain address as text check (value like '%@%')`)
    await sql('alter table users alter email type address')
    await run()
    const { viewer } = await answer(await serving(), '{ viewer { email } }')
    expect(viewer).toEqual({ email: ada.email })
    await sql('alter table users alter email type text; drop domain address')
  })
})

describe('what the database does without', () => {
  test('columns that older versions did not make are NULL', async () => {
    await sql('alter table organizations rename logo to "was logo"')
    await sql('alter table organizations rename metadata to "was metadata"')
    await sql('alter table users rename image to picture')
    await sql('alter table accounts rename scope to granted')
    const { absentColumns } = await run()
    expect(absentColumns).toEqual([
      'User.image',
      'Account.scope',
      'Organization.logo',
      'Organization.metadata',
    ])
    const { viewer } = await answer(
      await serving(),
      '{ viewer { image accounts { scopes } organizations { nodes { name logo metadata } } } }',
    )
    expect(viewer).toEqual({
      image: null,
      accounts: [{ scopes: [] }],
      organizations: { nodes: [{ name: 'Acme', logo: null, metadata: null }] },
    })
    await sql('alter table organizations rename "was logo" to logo')
    await sql('alter table organizations rename "was metadata" to metadata')
    await sql('alter table users rename picture to image')
    await sql('alter table accounts rename granted to scope')
  })

  test("tables of the application's own that are named like Better Auth's are left out, and said", async () => {
    await sql('create schema own; alter table teams set schema own')
    await sql('create table teams (id serial primary key, title text)')
    await sql('alter table accounts rename created_at to made_at')
    const { unreadTables, absentModels } = await run()
    expect(unreadTables).toEqual([
      expect.stringMatching(/^Account: the table "accounts" has no column for createdAt\./),
      expect.stringMatching(
        /^Team: the table "teams" has no column for organizationId, name, createdAt\..* or null\. The graph does without the table\.$/,
      ),
      expect.stringMatching(/^TeamMember: .* points to Team, for which no table fits\./),
    ])
    expect(absentModels).toEqual([
      'Account',
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
    expect(await answer(await serving(), '{ viewer { name } }')).toEqual({
      viewer: { name: 'Ada' },
    })
    await sql('drop table teams; alter table own.teams set schema public; drop schema own')
    await sql('alter table accounts rename made_at to created_at')
  })
})

describe('tables that are none', () => {
  test('views are read, get no triggers, and say nothing of NULL', async () => {
    await sql(`create schema seen`)
    for (const table of [
      'users',
      'sessions',
      'accounts',
      'organizations',
      'members',
      'invitations',
      'teams',
      'team_members',
      'organization_roles',
      'jwks',
    ])
      await sql(`create view seen.${table} as select * from public.${table}`)
    const { absentModels, tablesElsewhere } = await run('seen')
    expect([absentModels, tablesElsewhere]).toEqual([
      [
        'OauthClient',
        'OauthAccessToken',
        'OauthConsent',
        'Apikey',
        'Passkey',
        'SsoProvider',
        'ScimUser',
        'Subscription',
      ],
      [],
    ])
    const gateway = await serving('seen')
    const data = await answer(
      gateway,
      '{ viewer { name accounts { providerId } organizations: memberships { nodes { roles organization { slug } } } } }',
    )
    expect(data.viewer.name).toBe('Ada')
    expect(data.viewer.accounts).toEqual([{ providerId: 'credential' }])
    expect(data.viewer.organizations.nodes).toEqual([
      { roles: ['owner'], organization: { slug: acme.slug } },
    ])
    const triggers = await sql(
      `select 1 from pg_trigger where tgrelid in (select oid from pg_class where relnamespace = 'seen'::regnamespace)`,
    )
    expect(triggers).toEqual([])
    await sql(`drop schema seen cascade`)
  })

  test('a partitioned table and one without a primary key are read', async () => {
    await sql(`create schema parts; set search_path = parts;
      create table users (like public.users including defaults) partition by hash (id);
      create table users_one partition of users for values with (modulus 2, remainder 0);
      create table users_two partition of users for values with (modulus 2, remainder 1);
      insert into users select * from public.users;
      create table jwks as select * from public.jwks; alter table jwks alter id set not null;
      create table accounts as select * from public.accounts;
      create table sessions as select * from public.sessions; reset search_path`)
    const { found } = await run('parts')
    expect(found.map(({ table }) => table)).toEqual(['users', 'sessions', 'accounts', 'jwks'])
    const { viewer } = await answer(
      await serving('parts'),
      '{ viewer { name accounts { providerId } } }',
    )
    expect(viewer).toEqual({ name: 'Ada', accounts: [{ providerId: 'credential' }] })
    await sql('drop schema parts cascade')
  })

  test('tables in two schemas are told of, with what to do', async () => {
    await sql(
      'create schema auth; alter table users set schema auth; alter table sessions set schema auth; alter table accounts set schema auth; alter table jwks set schema auth',
    )
    const { tablesElsewhere } = await run('auth')
    expect(tablesElsewhere).toContain(
      'Organization: the PostgreSQL schema "public" has a table "organizations", and only "auth" is looked at. If it is Better Auth\'s, gather all of its tables in one schema: CREATE VIEW there (it is read like a table), and name that schema in DATABASE_SCHEMA.',
    )
    await expect(run('public')).rejects.toThrow(
      /- User: the PostgreSQL schema "auth" has a table "users"/,
    )
    await expect(run('auht')).rejects.toThrow(
      /- User: the PostgreSQL schema "auth" has a table "users"/,
    )
    for (const table of ['users', 'sessions', 'accounts', 'jwks'])
      await sql(`alter table auth.${table} set schema public`)
    await sql('drop schema auth')
  })
})

describe('an address that is not one person’s own', () => {
  test('in capitals it is found by any spelling, once the index that doctor asks for is there', async () => {
    await sql('create index lowered on users (lower(email) text_pattern_ops)')
    await sql('update users set email = upper(email) where id = $1', [bob.id])
    await run()
    const gateway = await serving()
    for (const email of [bob.email, bob.email.toUpperCase()])
      expect(await answer(gateway, `{ userByEmail(email: "${email}") { id } }`, 'service')).toEqual(
        {
          userByEmail: { id: bob.id },
        },
      )
    await sql('update users set email = lower(email); drop index lowered')
  })

  test('of two people it finds neither, nor does a slug of two organizations', async () => {
    const constraints = await sql<{ name: string; relation: string }>(
      `select conname as name, conrelid::regclass::text as relation from pg_constraint where contype = 'u' and conrelid in ('users'::regclass, 'organizations'::regclass)`,
    )
    for (const { name, relation } of constraints)
      await sql(`alter table ${relation} drop constraint ${name}`)
    await sql('drop index if exists users_email_key, organizations_slug_key')
    await sql('update users set email = $1 where id = $2', [ada.email, eve.id])
    await sql('update organizations set slug = $1 where id = $2', [acme.slug, evil.id])
    await run()
    const gateway = await serving()
    expect(
      await answer(
        gateway,
        `{ userByEmail(email: "${ada.email}") { id } organizationBySlug(slug: "${acme.slug}") { id } }`,
        'service',
      ),
    ).toEqual({ userByEmail: null, organizationBySlug: null })
  })
})
