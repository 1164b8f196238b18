import { beforeAll, describe, expect, test } from 'vitest'
import { codesOf } from '../support/codes.ts'
import { recordStatements } from '../support/sql-log.ts'
import { world } from '../support/world.ts'

const {
  gateway,
  identity,
  services,
  sql,
  ines: many,
} = await world({
  own: true,
  // Its documents ask for what no page does.
  environment: { LIMIT_COST: '1000000' },
})
/** Many is the owner of 151 organizations, in all of their teams. */
const tokens = { service: await services.token(), many: await many.jwt() }

const ORGANIZATIONS = 151

beforeAll(async () => {
  await fill()
  // The signing keys are read by the first requests.
  for (const token of Object.values(tokens)) await gateway.graphql('{ viewer { id } }', { token })
})

/** In each organization three members, two teams of two, and two invitations; of each user two sessions. */
async function fill(): Promise<void> {
  const { id } = many
  const upTo = `generate_series(1, ${ORGANIZATIONS}) i`
  for (const statement of [
    'delete from organizations',
    `insert into organizations (id, name, slug, created_at)
     select 'o' || i, 'Organization ' || i, 'o' || i, now() + i * interval '1 microsecond' from ${upTo}`,
    `insert into users (id, name, email, email_verified, role, banned, created_at, updated_at)
     select 'u' || i, 'User ' || i, 'u' || i || '@example.com', true, 'user', false,
       now() + i * interval '1 microsecond', now() from ${upTo}`,
    `update users set email_verified = true where id = '${id}'`,
    `insert into members (id, organization_id, user_id, role, created_at)
     select 'm' || i, 'o' || i, '${id}', 'owner,r' || i, now() + i * interval '1 microsecond' from ${upTo}
     union all select 'a' || i, 'o' || i, 'u' || i, 'member', now() from ${upTo}
     union all select 'b' || i, 'o' || i, 'u' || (i % 151 + 1), 'member', now() from ${upTo}`,
    `insert into teams (id, organization_id, name, member_count, created_at)
     select 't' || i || '-' || n, 'o' || i, 'Team', 2, now() from ${upTo}, generate_series(1, 2) n`,
    `insert into team_members (id, team_id, user_id, membership_key, created_at)
     select 'x' || id, id, '${id}', 'x' || id, now() from teams
     union all select 'y' || id, id, 'u1', 'y' || id, null from teams`,
    `insert into invitations (id, organization_id, email, role, status, expires_at, created_at, inviter_id)
     select 'i' || i || '-' || n, 'o' || i, case n when 1 then 'ines@example.com' else 'x' end, 'member', 'pending',
       now() + interval '1 day', now(), 'u' || i from ${upTo}, generate_series(1, 2) n`,
    `insert into sessions (id, user_id, token, expires_at, created_at, updated_at)
     select 's' || id || n, id, id || n, now() + interval '1 day', now(), now() from users, generate_series(1, 2) n`,
    `insert into accounts (id, user_id, account_id, provider_id, created_at, updated_at)
     select 'c' || id, id, id, 'google', now(), now() from users`,
    `insert into organization_roles (id, organization_id, role, permission)
     select 'r' || i, 'o' || i, 'r' || i, '{"leave":["approve"]}' from ${upTo}`,
  ])
    await sql(statement)
}

async function read(query: string, token: keyof typeof tokens) {
  const { data, errors } = await gateway.graphql(query, { token: tokens[token] })
  expect(errors).toEqual([])
  return data
}

interface List {
  /** The list, with what leads to it; `@` stands for more arguments and what is selected. */
  readonly path: string
  readonly token?: keyof typeof tokens
  readonly key?: 'text'
}

const ofOrganization = (id: string, call: string) => `organization(id: "${id}") { ${call} }`
const ofUser = (id: string, call: string) => `user(id: "${id}") { ${call} }`
const orderBy = (field: string, direction: string) =>
  `orderBy: { field: ${field}, direction: ${direction} }`

const lists: Record<string, List> = {
  members: { path: ofOrganization('o1', 'members(@)') },
  'members of another organization': { path: ofOrganization('o2', 'members(@)') },
  'members, the newest first': {
    path: ofOrganization('o1', `members(${orderBy('CREATED_AT', 'DESC')} @)`),
  },
  'members by name': {
    path: ofOrganization('o1', `members(${orderBy('USER_NAME', 'ASC')} @)`),
    key: 'text',
  },
  'members by name, downwards': {
    path: ofOrganization('o1', `members(${orderBy('USER_NAME', 'DESC')} @)`),
    key: 'text',
  },
  'members with a role': { path: ofOrganization('o1', 'members(filter: { roles: ["member"] } @)') },
  'members with other roles': {
    path: ofOrganization('o1', 'members(filter: { roles: ["owner", "member"] } @)'),
  },
  'members among users': { path: ofOrganization('o1', 'members(filter: { userIds: ["u1"] } @)') },
  'members found': { path: ofOrganization('o1', 'members(filter: { search: "user" } @)') },
  memberships: { path: ofUser('u1', 'memberships(@)') },
  'memberships of another user': { path: ofUser('u2', 'memberships(@)') },
  'memberships with a role': { path: ofUser('u1', 'memberships(filter: { roles: ["member"] } @)') },
  'memberships that are shared': { path: ofUser('u1', 'memberships(@)'), token: 'many' },
  'organizations of a user': { path: ofUser('u1', 'organizations(@)') },
  'organizations with a role': {
    path: ofUser('u1', 'organizations(filter: { roles: ["member"] } @)'),
  },
  'invitations received': { path: 'viewer { receivedInvitations(@) }', token: 'many' },
  sessions: { path: ofUser('u1', 'sessions(@)') },
  'sessions of another user': { path: ofUser('u2', 'sessions(@)') },
  users: { path: 'users(@)' },
  'users, the newest first': { path: `users(${orderBy('CREATED_AT', 'DESC')} @)` },
  'users by name': { path: `users(${orderBy('NAME', 'ASC')} @)`, key: 'text' },
  'users by address': { path: `users(${orderBy('EMAIL', 'ASC')} @)`, key: 'text' },
  'users found': { path: 'users(filter: { search: "user" } @)' },
  'users with a role': { path: 'users(filter: { role: "user" } @)' },
  'users who are not banned': { path: 'users(filter: { banned: false } @)' },
  'users made since': { path: 'users(filter: { createdAfter: "2001-01-01T00:00:00Z" } @)' },
  'users made until': { path: 'users(filter: { createdBefore: "2101-01-01T00:00:00Z" } @)' },
  'all organizations': { path: 'organizations(@)' },
  'all organizations by name': { path: `organizations(${orderBy('NAME', 'ASC')} @)`, key: 'text' },
  invitations: { path: ofOrganization('o1', 'invitations(@)') },
  'invitations of another organization': { path: ofOrganization('o2', 'invitations(@)') },
  'pending invitations': { path: ofOrganization('o1', 'invitations(status: PENDING @)') },
  teams: { path: ofOrganization('o1', 'teams(@)') },
  'teams of another organization': { path: ofOrganization('o2', 'teams(@)') },
  'members of a team': { path: ofOrganization('o1', 'teams(first: 1) { nodes { members(@) } }') },
  'members of another team': {
    path: ofOrganization('o1', 'teams(last: 1) { nodes { members(@) } }'),
  },
}

/** The list under an alias, with these arguments. */
function select({ path }: List, alias: string, given: string): string {
  return `${alias}: ${path.replace('@)', `${given}) { edges { cursor } }`)}`
}

async function cursorOf(list: List): Promise<string> {
  const data = await read(`{ ${select(list, 'list', 'first: 1')} }`, list.token ?? 'service')
  const [, cursor] = /"cursor":"([^"]+)"/.exec(JSON.stringify(data)) ?? []
  if (cursor === undefined) throw new Error('The list is empty.')
  return cursor
}

/** The code of each argument that is refused, by its place; codes of paths below an alias are the alias's. */
async function refusals(list: List, given: readonly string[]): Promise<(string | undefined)[]> {
  const query = given.map((argument, i) => select(list, `a${i}`, argument)).join('\n')
  const answer = await gateway.graphql(`{ ${query} }`, { token: tokens[list.token ?? 'service'] })
  const codes = new Map(
    Object.entries(codesOf(answer)).map(([path, code]) => [path.split('.')[0], code]),
  )
  return given.map((_, i) => codes.get(`a${i}`))
}

describe('a cursor is good for its own list alone:', () => {
  const cursors = new Map<string, string>()

  beforeAll(async () => {
    for (const [name, list] of Object.entries(lists)) cursors.set(name, await cursorOf(list))
  })

  test.each(Object.keys(lists))('%s', async (name) => {
    const list = lists[name]
    if (!list) return
    const given = [...cursors.values()].map((cursor) => `after: "${cursor}"`)
    const expected = [...cursors.keys()].map((whose) =>
      whose === name ? undefined : 'BAD_USER_INPUT',
    )
    expect(await refusals(list, given)).toEqual(expected)
  })
})

describe('a forged cursor is BAD_USER_INPUT, never more than that:', () => {
  type Parts = readonly [unknown, unknown, unknown, unknown]
  const forgeries: ((parts: Parts) => unknown)[] = [
    ([, list, value, id]) => [2, list, value, id],
    ([, list, value, id]) => ['1', list, value, id],
    ([version, , value, id]) => [version, null, value, id],
    ([version, list, , id]) => [version, list, null, id],
    ([version, list, , id]) => [version, list, 7, id],
    ([version, list, , id]) => [version, list, 'a\0b', id],
    ([version, list, value]) => [version, list, value, 'a\0b'],
    ([version, list, value]) => [version, list, value, ['a']],
    ([version, list, value]) => [version, list, value],
    () => [],
    () => null,
    () => 'x'.repeat(10_000),
  ]
  const badInstants = [
    '',
    'x',
    'infinity',
    'epoch',
    '2026-01-01',
    '2026-02-30T00:00:00.000000Z',
    '2026-01-01T24:00:01.000000Z',
    '0000-01-01T00:00:00.000000Z',
    '294277-01-01T00:00:00.000000Z',
    '999999-01-01T00:00:00.000000Z',
  ]

  test.each(Object.keys(lists))('%s', async (name) => {
    const list = lists[name]
    if (!list) return
    const cursor = await cursorOf(list)
    const parts: Parts = JSON.parse(Buffer.from(cursor, 'base64url').toString())
    const [version, own, , id] = parts
    const forged = [
      ...forgeries.map((forge) => forge(parts)),
      ...(list.key === 'text' ? [] : badInstants.map((value) => [version, own, value, id])),
    ].map((value) => Buffer.from(JSON.stringify(value)).toString('base64url'))
    const given = [...forged, '', cursor.slice(1), cursor.slice(0, 20)].flatMap((bad) => [
      `after: "${bad}"`,
      `before: "${bad}"`,
    ])
    const codes: (string | undefined)[] = []
    // A document has no more than so many characters, and some of these are long.
    for (let at = 0; at < given.length; at += 10)
      codes.push(...(await refusals(list, given.slice(at, at + 10))))
    expect(codes).toEqual(given.map(() => 'BAD_USER_INPUT'))
  })

  test('a place that no entry ever had is a place in the list all the same', async () => {
    const list: List = { path: `organizations(${orderBy('NAME', 'ASC')} @)`, key: 'text' }
    const [version, own] = JSON.parse(Buffer.from(await cursorOf(list), 'base64url').toString())
    const forged = (value: string, id: string) =>
      Buffer.from(JSON.stringify([version, own, value, id])).toString('base64url')
    for (const [value, id] of [
      ["'; select 1 --", "' or true"],
      ['%', '\\'],
      ['', ''],
    ] as const)
      expect(await refusals(list, [`first: 1 after: "${forged(value, id)}"`])).toEqual([undefined])
    // Half a character is in no text of the database.
    expect(await refusals(list, [`first: 1 after: "${forged('\ud800', '\udfff')}"`])).toEqual([
      'BAD_USER_INPUT',
    ])
  })
})

test('a cursor is good however long the name is that it carries', async () => {
  const name = '名'.repeat(4000)
  await sql(
    `insert into users (id, name, email, email_verified, created_at, updated_at)
     values ('long', $1, 'long', true, now(), now())`,
    [name],
  )
  try {
    const cursor = await cursorOf({ path: `users(${orderBy('NAME', 'DESC')} @)` })
    const next = `{ users(${orderBy('NAME', 'DESC')} first: 1 after: "${cursor}") { nodes { name } } }`
    expect(await read(next, 'service')).toEqual({ users: { nodes: [{ name: 'User 99' }] } })
  } finally {
    await sql("delete from users where id = 'long'")
  }
})

test('entries that come between two pages of a list by name are met in their place', async () => {
  const page = (after: string) =>
    `{ organizations(${orderBy('NAME', 'ASC')} first: 2 ${after}) { nodes { name } pageInfo { endCursor hasPreviousPage } } }`
  const first = await read(page(''), 'service')
  expect(first.organizations.nodes).toEqual([
    { name: 'Organization 1' },
    { name: 'Organization 10' },
  ])
  await sql(`insert into organizations (id, name, slug, created_at)
    values ('early', 'A', 'early', now()), ('~', 'Organization 10', 'tie', now())`)
  const after = `after: "${first.organizations.pageInfo.endCursor}"`
  const second = await read(page(after), 'service')
  expect(second.organizations.nodes).toEqual([
    { name: 'Organization 10' },
    { name: 'Organization 100' },
  ])
  expect(second.organizations.pageInfo.hasPreviousPage).toBe(true)
  await sql("delete from organizations where id in ('early', '~')")
})

/** The SQL of one request that succeeds. */
async function statementsOf(query: string, token: keyof typeof tokens): Promise<string[]> {
  return recordStatements(identity.database.name, () => read(query, token))
}

test('a member of 151 organizations gets 151, each with the roles there, over two pages', async () => {
  const query = (after: string) =>
    `{ viewer { organizations(first: 100 ${after}) { totalCount pageInfo { hasNextPage endCursor }
       edges { roles joinedAt node { id name } } } } }`
  const edges: { roles: string[]; node: { id: string; name: string } }[] = []
  let after = ''
  for (const size of [100, 51]) {
    const statements = await statementsOf(query(after), 'many')
    expect(statements.length).toBeLessThanOrEqual(4)
    const { organizations } = (await read(query(after), 'many')).viewer
    expect(organizations.edges).toHaveLength(size)
    expect(organizations.totalCount).toBe(ORGANIZATIONS)
    expect(organizations.pageInfo.hasNextPage).toBe(size === 100)
    after = `after: "${organizations.pageInfo.endCursor}"`
    edges.push(...organizations.edges)
  }
  expect(edges.map(({ node, roles }) => [node.id, node.name, roles])).toEqual(
    Array.from({ length: ORGANIZATIONS }, (_, i) => [
      `o${i + 1}`,
      `Organization ${i + 1}`,
      ['owner', `r${i + 1}`],
    ]),
  )
})

test('a hundred ids keep their order, with nulls in the places of those that are not to be seen', async () => {
  await sql(`insert into users (id, name, email, email_verified, created_at, updated_at)
    select 'stranger' || i, 'Stranger', 'stranger' || i, true, now(), now() from generate_series(1, 10) i`)
  const ids = [
    ...Array.from({ length: 45 }, (_, i) => `u${90 - i}`),
    ...Array.from({ length: 10 }, (_, i) => `stranger${i + 1}`),
    ...Array.from({ length: 34 }, (_, i) => `u${i + 1}`),
    ...Array.from({ length: 10 }, (_, i) => `absent${i + 1}`),
    'u90',
  ]
  expect(ids).toHaveLength(100)
  const query = `{ usersByIds(ids: ${JSON.stringify(ids)}) { id name email } }`
  const expected = ids.map((id) =>
    id.startsWith('u') ? { id, name: `User ${id.slice(1)}`, email: `${id}@example.com` } : null,
  )
  expect(await read(query, 'many')).toEqual({ usersByIds: expected })
  const statements = await statementsOf(query, 'many')
  expect(statements).toHaveLength(2)
  const service = await read(query, 'service')
  expect(service.usersByIds.filter(Boolean)).toHaveLength(90)
  expect(await statementsOf(query, 'service')).toHaveLength(1)
})

describe('however many rows there are, it is as many statements; counting is one more, if asked for:', () => {
  const organizationIds = (count: number) =>
    JSON.stringify(Array.from({ length: count }, (_, i) => `o${i + 1}`))
  const userIds = (count: number) =>
    JSON.stringify(Array.from({ length: count }, (_, i) => `u${i + 1}`))
  const ofOrganizations = (field: string) => (count: number) =>
    `organizationsByIds(ids: ${organizationIds(count)}) { ${field} }`
  const ofUsers = (field: string) => (count: number) =>
    `usersByIds(ids: ${userIds(count)}) { ${field} }`

  /** With a comment where a list could be counted. */
  const fields: Record<string, { for: (keyof typeof tokens)[]; query: (rows: number) => string }> =
    {
      'Organization.members': {
        for: ['service', 'many'],
        query: ofOrganizations('members { #count\n nodes { roles user { name email } } }'),
      },
      'Organization.members by name': {
        for: ['service', 'many'],
        query: ofOrganizations(
          'members(orderBy: { field: USER_NAME, direction: DESC }) { #count\n nodes { id } }',
        ),
      },
      'Organization.members found': {
        for: ['service', 'many'],
        query: ofOrganizations(
          'members(filter: { roles: ["member"], search: "user" }) { #count\n nodes { id } }',
        ),
      },
      'Organization.invitations': {
        for: ['service', 'many'],
        query: ofOrganizations(
          'invitations { #count\n nodes { email inviter { name } organization { name } } }',
        ),
      },
      'Organization.teams': {
        for: ['service', 'many'],
        query: ofOrganizations('teams { #count\n nodes { name organization { name } } }'),
      },
      'Team.members': {
        for: ['service', 'many'],
        query: ofOrganizations(
          'teams(first: 3) { nodes { members { #count\n nodes { createdAt user { name email } team { name } } } } }',
        ),
      },
      'Organization.roles': {
        for: ['service', 'many'],
        query: ofOrganizations('roles { name permissions source }'),
      },
      'Organization.viewerTeams': { for: ['many'], query: ofOrganizations('viewerTeams { name }') },
      'User.memberships': {
        for: ['service', 'many'],
        query: ofUsers('memberships { #count\n nodes { roles organization { name } } }'),
      },
      'User.organizations': {
        for: ['service', 'many'],
        query: ofUsers('organizations { #count\n edges { roles node { name } } }'),
      },
      'User.sessions': { for: ['service'], query: ofUsers('sessions { #count\n nodes { id } }') },
      'User.accounts': { for: ['service'], query: ofUsers('accounts { providerId scopes }') },
      'User.receivedInvitations': {
        for: ['many'],
        query: (rows) =>
          `viewer { receivedInvitations(first: ${rows}) { #count\n nodes { organizationName organization { name } inviter { name } } } }`,
      },
      'Query.users': {
        for: ['service'],
        query: (rows) =>
          `users(first: ${rows} filter: { search: "user" }) { #count\n nodes { email memberships { nodes { organization { name } } } } }`,
      },
      'Query.organizations': {
        for: ['service'],
        query: (rows) =>
          `organizations(first: ${rows}) { #count\n nodes { name members { nodes { user { name } } } teams { nodes { name } } } }`,
      },
    }

  test.each(Object.keys(fields))('%s', async (name) => {
    const field = fields[name]
    if (!field) return
    for (const token of field.for) {
      const few = await statementsOf(`{ ${field.query(2)} }`, token)
      const all = await statementsOf(`{ ${field.query(40)} }`, token)
      expect(all).toHaveLength(few.length)
      expect(all.length).toBeLessThanOrEqual(7)
      expect(counting(all)).toEqual([])
      if (!field.query(1).includes('#count')) continue
      const counted = await statementsOf(
        `{ ${field.query(40).replace('#count', 'totalCount')} }`,
        token,
      )
      expect(counting(counted)).toHaveLength(1)
      expect(counted).toHaveLength(all.length + 1)
    }
  })

  const counting = (statements: readonly string[]) =>
    statements.filter((statement) => /count\s*\(/i.test(statement))
})

test.each(['0000-01-01T00:00:00Z', '0001-01-01T00:00:00+14:00', '9999-12-31T23:59:59-14:00'])(
  'the instant %s, which PostgreSQL does not read, is refused',
  async (instant) => {
    const answer = await gateway.graphql(
      `{ users(filter: { createdAfter: "${instant}" }) { totalCount } }`,
      { token: tokens.service },
    )
    expect(answer.errors.map(({ extensions }) => extensions.code)).toEqual(['BAD_USER_INPUT'])
  },
)
