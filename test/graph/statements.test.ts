import { beforeAll, describe, expect, test } from 'vitest'
import type { Organization } from '../support/identity.ts'
import { recordStatements } from '../support/sql-log.ts'
import { world } from '../support/world.ts'

const {
  gateway,
  identity,
  services,
  sql,
  root,
  // Members of 2, 5 and 50 organizations, each with three members.
  rita: few,
  ivy: some,
  ines: many,
} = await world({
  own: true,
  // Asks for more at once than a client may.
  environment: { LIMIT_COST: '1000000' },
})
await fill(await identity.createOrganization(many, 'Organization 0'))
const users = await idsOf('users')
const organizations = await idsOf('organizations')

beforeAll(async () => {
  // The signing keys are read by the first requests.
  for (const token of await Promise.all([many.jwt(), services.token()]))
    await gateway.graphql('{ viewer { id } }', { token })
})

/** Forty-nine organizations more and a hundred people more, by SQL, because Better Auth takes its time for each. */
async function fill(first: Organization): Promise<void> {
  await sql(
    `insert into organizations (id, name, slug, created_at)
     select 'o' || i, 'Organization ' || i, 'organization-' || i, now() from generate_series(1, 49) i`,
  )
  await sql(
    `insert into users (id, name, email, email_verified, created_at, updated_at)
     select 'u' || i, 'User ' || i, 'u' || i || '@example.com', true, now(), now()
     from generate_series(1, 100) i`,
  )
  await sql(
    `insert into members (id, organization_id, user_id, role, created_at)
     select 'many' || i, 'o' || i, $1, 'member', now() from generate_series(1, 49) i
     union all select 'some' || i, 'o' || i, $2, 'member', now() from generate_series(1, 5) i
     union all select 'few' || i, 'o' || i, $3, 'member', now() from generate_series(1, 2) i
     union all select 'a' || i, 'o' || i, 'u' || i, 'approver', now() from generate_series(1, 49) i
     union all select 'b' || i, 'o' || i, 'u' || (i + 50), 'auditor', now() from generate_series(1, 49) i
     union all select 'c' || i, $4, 'u' || i, 'member', now() from generate_series(1, 2) i`,
    [many.id, some.id, few.id, first.id],
  )
}

async function idsOf(table: string): Promise<string[]> {
  const rows = await sql<{ id: string }>(`select id from ${table} order by id limit 100`)
  return rows.map(({ id }) => id)
}

/** The SQL of one request that succeeds. */
async function statementsOf(
  query: string,
  token: string,
  variables: Record<string, unknown> = {},
): Promise<string[]> {
  return recordStatements(identity.database.name, async () => {
    const { errors } = await gateway.graphql(query, { token, variables })
    expect(errors).toEqual([])
  })
}

test('organizations, their members and the names of these take five statements at most, for 5 and for 50', async () => {
  const query =
    '{ viewer { name organizations(first: 50) { nodes { name members(first: 20) { nodes { roles user { name } } } } } } }'
  const answer = await gateway.graphql(query, { token: await many.jwt() })
  expect(answer.data.viewer.organizations.nodes).toHaveLength(50)
  expect(answer.data.viewer.organizations.nodes[3].members.nodes[1].user.name).toMatch(/^User /)
  const forSome = await statementsOf(query, await some.jwt())
  const forMany = await statementsOf(query, await many.jwt())
  expect(forMany.length).toBeLessThanOrEqual(5)
  expect(forSome).toHaveLength(forMany.length)
})

test('members bring what everybody sees of a person; the rest is read of all at once', async () => {
  const query = (fields: string) =>
    `{ viewer { organizations(first: 50) { nodes { members(first: 20) { nodes { user { ${fields} } } } } } } }`
  const token = await many.jwt()
  const plain = await statementsOf(query('id name image email'), token)
  await sql(
    `insert into members (id, organization_id, user_id, role, created_at)
     select 'admin' || i, 'o' || i, $1, 'member', now() from generate_series(1, 20) i`,
    [root.id],
  )
  const whole = query('id name image email emailVerified createdAt')
  const { data, errors } = await gateway.graphql(whole, { token: await root.jwt() })
  expect(errors).toEqual([])
  const { nodes } = data.viewer.organizations
  expect(nodes).toHaveLength(20)
  for (const { members } of nodes)
    for (const { user } of members.nodes)
      expect(Object.values(user).filter((value) => value === null)).toHaveLength(1)
  const statements = await statementsOf(whole, await root.jwt())
  await sql('delete from members where user_id = $1', [root.id])
  // What is one's own and what is the others'; who may see it is known since the first statement.
  expect(statements).toHaveLength(plain.length + 1)
})

test('whoever is reached as a member is not asked about', async () => {
  const members = (user: string) => `organizations(first: 50) { nodes { members { ${user} } } }`
  const memberships = (user: string) => members(`nodes { user { memberships { ${user} } } }`)
  for (const reached of [members, memberships]) {
    const query = `{ viewer { ${reached('nodes { user { name email } }')} } }`
    const statements = await statementsOf(query, await many.jwt())
    // The caller's own account alone, though every e-mail address is for those who may see it.
    expect(statements.filter((statement) => statement.includes('json_to_recordset'))).toHaveLength(
      1,
    )
    expect(statements.length).toBeGreaterThan(2)
  }
})

test('not one statement belongs to a transaction or is a write', async () => {
  const statements = await statementsOf(
    '{ viewer { organizations(first: 50) { totalCount nodes { viewerPermissions members { totalCount nodes { user { email } } } } } } }',
    await many.jwt(),
  )
  for (const statement of statements) expect(statement.trim()).toMatch(/^SELECT\b/)
})

describe('the number of statements does not depend on the number of rows:', () => {
  const below: Record<string, string> = {
    'Organization.members': 'members(first: 20) { nodes { id } }',
    'Organization.members from the end': 'members(last: 20) { nodes { id } }',
    'Organization.members.totalCount': 'members { totalCount }',
    'Organization.members.nodes.user': 'members { nodes { user { id name email } } }',
    'Organization.members.nodes.organization': 'members { nodes { organization { name } } }',
    'Organization.members.nodes.permissions':
      'members { nodes { permissions(consistency: FRESH) } }',
    'Organization.members.nodes.can':
      'members { nodes { can(permission: "leave:approve", consistency: FRESH) } }',
    'Organization.member': 'member(userId: "u1") { roles user { name } }',
    'Organization.viewerMembership': 'viewerMembership { roles }',
    'Organization.viewerPermissions': 'viewerPermissions(consistency: FRESH)',
    'Organization.viewerCan': 'viewerCan(permission: "leave:approve", consistency: FRESH)',
    'User.memberships of others': 'members { nodes { user { memberships { nodes { roles } } } } }',
    'User.memberships.nodes.organization':
      'members { nodes { user { memberships { nodes { organization { name } } } } } }',
    'User.memberships.totalCount': 'members { nodes { user { memberships { totalCount } } } }',
    'User.organizations of others':
      'members { nodes { user { organizations { nodes { name } edges { roles } } } } }',
    'User.organizations.totalCount': 'members { nodes { user { organizations { totalCount } } } }',
  }

  test.each(Object.keys(below))('%s', async (field) => {
    const query = `{ viewer { organizations(first: 50) { nodes { ${below[field]} } } } }`
    const forFew = await statementsOf(query, await few.jwt())
    const forMany = await statementsOf(query, await many.jwt())
    expect(forMany).toHaveLength(forFew.length)
    // One's own lists are not narrowed, so they are statements beside those of others.
    expect(forMany.length).toBeLessThanOrEqual(7)
  })

  const doors: Record<string, (ids: string[]) => string> = {
    user: (ids) => ids.map((id, i) => `u${i}: user(id: "${id}") { name email }`).join(' '),
    usersByIds: (ids) => `usersByIds(ids: ${JSON.stringify(ids)}) { name email }`,
    userByEmail: (ids) =>
      ids.map((id, i) => `u${i}: userByEmail(email: "${id}@example.com") { name }`).join(' '),
    organization: (ids) =>
      ids.map((_, i) => `o${i}: organization(id: "${organizations[i % 50]}") { name }`).join(' '),
    organizationsByIds: (ids) =>
      `organizationsByIds(ids: ${JSON.stringify(organizations.slice(0, ids.length))}) { name }`,
    organizationBySlug: (ids) =>
      ids.map((_, i) => `o${i}: organizationBySlug(slug: "organization-${i}") { name }`).join(' '),
    can: (ids) =>
      ids
        .map(
          (id, i) =>
            `c${i}: can(permission: "leave:approve", organizationId: "o1", userId: "${id}", consistency: FRESH)`,
        )
        .join(' '),
  }

  test.each(Object.keys(doors))('Query.%s, for users and for services', async (door) => {
    // Questions about oneself read less.
    const another = users.find((id) => id !== many.id) ?? ''
    // Whether addresses are indexed in lower case is asked once a minute.
    await gateway.ready()
    for (const token of [await many.jwt(), await services.token()]) {
      const one = await statementsOf(`{ ${doors[door]?.([another])} }`, token)
      const all = await statementsOf(`{ ${doors[door]?.(users)} }`, token)
      expect(all).toHaveLength(one.length)
      expect(all.length).toBeLessThanOrEqual(2)
    }
  })
})

test('a hundred ids of users are two statements for a user and one for a service', async () => {
  const query = 'query ($ids: [ID!]!) { usersByIds(ids: $ids) { name } }'
  expect(users).toHaveLength(100)
  expect(await statementsOf(query, await many.jwt(), { ids: users })).toHaveLength(2)
  expect(await statementsOf(query, await services.token(), { ids: users })).toHaveLength(1)
})

describe('totalCount', () => {
  const query = (selection: string) =>
    `{ viewer { organizations(first: 50) { nodes { members(first: 1) { ${selection} } } } } }`
  const counting = (statements: readonly string[]) =>
    statements.filter((statement) => /count\s*\(/i.test(statement))

  test('costs nothing unless it is selected', async () => {
    const plain = await statementsOf(query('nodes { id }'), await many.jwt())
    expect(counting(plain)).toEqual([])
  })

  test.each([
    'totalCount',
    'totalCountIsExact __typename',
    '... on MemberConnection { totalCount }',
    '...Count',
  ])('of no page is one statement: %s', async (selection) => {
    const fragment =
      selection === '...Count' ? 'fragment Count on MemberConnection { totalCount }' : ''
    const organization = (selected: string) =>
      `{ organization(id: "o1") { members { ${selected} } } } ${fragment}`
    const token = await services.token()
    const without = await statementsOf('{ organization(id: "o1") { id } }', token)
    const counted = await statementsOf(organization(selection), token)
    expect(counted).toHaveLength(without.length + 1)
    expect(counting(counted)).toHaveLength(1)
    const both = await statementsOf(organization(`${selection} pageInfo { hasNextPage }`), token)
    expect(both).toHaveLength(without.length + 2)
  })

  test('is one statement for fifty parents', async () => {
    const plain = await statementsOf(query('nodes { id }'), await many.jwt())
    const counted = await statementsOf(query('totalCount nodes { id }'), await many.jwt())
    expect(counting(counted)).toHaveLength(1)
    expect(counted).toHaveLength(plain.length + 1)
  })

  test('counts the whole list, whatever the page', async () => {
    const answer = await gateway.graphql(
      `{ organization(id: "o1") { one: members(first: 1) { totalCount nodes { id } }
         all: members { totalCount nodes { id } } } }`,
      { token: await services.token() },
    )
    const { one, all } = answer.data.organization
    expect([one.nodes.length, all.nodes.length]).toEqual([1, 5])
    expect([one.totalCount, all.totalCount]).toEqual([5, 5])
  })
})

test('what one request has read it does not read again', async () => {
  const door = `organization(id: "o1") { members { nodes { user { name } } } }`
  const once = await statementsOf(`{ ${door} }`, await services.token())
  const twice = await statementsOf(`{ a: ${door} b: ${door} }`, await services.token())
  expect(twice).toHaveLength(once.length)
})
