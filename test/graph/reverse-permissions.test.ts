import { beforeAll, describe, expect, test } from 'vitest'
import { accessControl } from '../../src/demo/access-control.ts'
import { createHostileWorld, type HostileWorld, malformed } from '../long/support/hostile-world.ts'
import { recordStatements } from '../support/sql-log.ts'
import { world } from '../support/world.ts'

const seed = Number(process.env.SEED ?? Date.now() % 1_000_000)
const permissions = [
  ...['leave:approve', 'leave:read', 'report:read', 'organization:update', 'ac:read'],
  ...['member:create', 'invitation:cancel', 'Leave:by:night', '7:*', 'unknown:read'],
]

const { gateway, identity, services, sql, rita } = await world({
  own: true,
  // Its documents ask for what no page does.
  environment: { LIMIT_COST: '1000000' },
})
let hostile: HostileWorld
/** Members of nearly every organization, of whom the first can sign in. */
let people: readonly { readonly id: string }[]
let organizationIds: readonly string[]

beforeAll(async () => {
  const others = await sql<{ id: string }>(
    `insert into users (id, name, email, email_verified, created_at, updated_at)
       select 'user-' || i, 'User ' || i, i || '@example.com', true, now(), now()
       from generate_series(1, 16) i returning id`,
  )
  people = [rita, ...others]
  hostile = await createHostileWorld(identity, people, { organizations: 12, seed })
  organizationIds = [...hostile.organizations.keys()]
  await sql("update users set banned = true where id in ('user-1', 'user-2')")
  await sql(
    "update users set banned = true, ban_expires = now() - interval '1 s' where id = 'user-3'",
  )
  // Twins of memberships, with the same roles in another order, with fewer, and with others.
  await sql(
    `insert into members (id, organization_id, user_id, role, created_at)
       select 'twin-' || id, organization_id, user_id,
         case user_id when 'user-4' then ' ' || role || ',' when 'user-5' then 'member' else 'owner' end,
         created_at + interval '1 s'
       from members where user_id in ('user-4', 'user-5', 'user-6')`,
  )
  for (const token of await Promise.all([rita.jwt(), services.token()]))
    await gateway.graphql('{ viewer { id } }', { token })
})

/** The data of an answer without errors; asked as a service unless said otherwise. */
async function read(query: string, variables: object = {}, token?: string) {
  const { data, errors } = await gateway.graphql(query, {
    token: token ?? (await services.token('identity:read')),
    variables: { ...variables },
  })
  expect(errors).toEqual([])
  return data
}

interface Listed {
  readonly id: string
  readonly can: boolean
}

const membersQuery = `query ($ids: [ID!]!, $permission: Permission!) { organizationsByIds(ids: $ids) {
  all: members(first: 60) { nodes { id can(permission: $permission, consistency: FRESH) } }
  having: members(first: 60, filter: { permission: $permission }) { totalCount nodes { id } }
  last: members(last: 2, filter: { permission: $permission }) { nodes { id } } } }`

const membershipsQuery = `query ($ids: [ID!]!, $permission: Permission!) { usersByIds(ids: $ids) {
  all: memberships(first: 60) {
    nodes { id can(permission: $permission, consistency: FRESH) organization { id } } }
  having: memberships(first: 60, filter: { permission: $permission }) { totalCount nodes { id } }
  organizations(first: 60, filter: { permission: $permission }) { totalCount nodes { id } } } }`

const idsOf = (nodes: readonly { id: string }[]) => nodes.map(({ id }) => id)
const allowedIn = (nodes: readonly Listed[]) => idsOf(nodes.filter(({ can }) => can))

describe(`with SEED=${seed}`, () => {
  const counted = { asked: 0, allowed: 0 }

  test.each(permissions)('members with %s are those for whom can is true', async (permission) => {
    const data = await read(membersQuery, { ids: organizationIds, permission })
    for (const { all, having, last } of data.organizationsByIds) {
      const expected = allowedIn(all.nodes)
      expect(idsOf(having.nodes)).toEqual(expected)
      expect(having.totalCount).toBe(expected.length)
      expect(idsOf(last.nodes)).toEqual(expected.slice(-2))
      counted.asked += all.nodes.length
      counted.allowed += expected.length
    }
  })

  test.each(permissions)(
    'memberships and organizations with %s are those where can is true',
    async (permission) => {
      const data = await read(membershipsQuery, { ids: idsOf(people), permission })
      for (const { all, having, organizations } of data.usersByIds) {
        const expected = allowedIn(all.nodes)
        expect(idsOf(having.nodes)).toEqual(expected)
        expect(having.totalCount).toBe(expected.length)
        const leadingTo = all.nodes.filter(({ can }: Listed) => can)
        expect(idsOf(organizations.nodes)).toEqual(
          leadingTo.map(({ organization }: { organization: { id: string } }) => organization.id),
        )
        expect(organizations.totalCount).toBe(expected.length)
        counted.asked += all.nodes.length
        counted.allowed += expected.length
      }
    },
  )

  test('a role without a name is held by nobody', async () => {
    const acme = await identity.createOrganization(rita, 'Nameless')
    const row = [acme.id, '{"leave":["read"]}']
    await sql(
      `insert into organization_roles (id, organization_id, role, permission, created_at)
         values ('nameless', $1, '', $2, now())`,
      row,
    )
    for (const role of ['', ' ', 'member,', ',,member']) {
      await sql('update members set role = $2 where organization_id = $1', [acme.id, role])
      const data = await read(membersQuery, { ids: [acme.id], permission: 'leave:read' })
      const [{ all, having }] = data.organizationsByIds
      expect(allowedIn(all.nodes)).toEqual([])
      expect({ role, having }).toEqual({ role, having: { totalCount: 0, nodes: [] } })
    }
  })

  test('in so many cases', () => {
    process.stdout.write(`measured: SEED=${seed}, reverse questions: ${JSON.stringify(counted)}\n`)
    expect(counted.asked).toBeGreaterThan(1000)
    expect(counted.allowed).toBeGreaterThan(counted.asked / 20)
  })

  test('can agrees with checkPermissions, which reads no list', async () => {
    const [permission = ''] = permissions
    const token = await services.token('permissions:check')
    for (const organizationId of organizationIds) {
      const data = await read(
        'query ($id: ID!) { organization(id: $id) { members(first: 100, filter: { permission: "leave:approve" }) { nodes { user { id } } } } }',
        { id: organizationId },
      )
      const checks = people.map(({ id }) => ({ userId: id, organizationId, permission }))
      const { checkPermissions } = await read(
        `query ($checks: [PermissionCheckInput!]!) {
          checkPermissions(checks: $checks, consistency: FRESH) { allowed userId } }`,
        { checks },
        token,
      )
      const listed: string[] = data.organization.members.nodes.map(
        (node: { user: { id: string } }) => node.user.id,
      )
      const allowed = checkPermissions
        .filter((decision: { allowed: boolean }) => decision.allowed)
        .map((decision: { userId: string }) => decision.userId)
      expect([...new Set(listed)].sort()).toEqual(allowed.sort())
    }
  })

  test('a page after another goes on where that ended', async () => {
    for (const id of organizationIds.slice(0, 6)) {
      const query = `query ($id: ID!, $after: String) { organization(id: $id) {
        whole: members(first: 100, filter: { permission: "ac:read" }) { nodes { id } }
        members(first: 3, after: $after, filter: { permission: "ac:read" }) {
          nodes { id } pageInfo { hasNextPage endCursor } } } }`
      const ids: string[] = []
      for (let after: string | null = null, more = true; more; ) {
        const data = await read(query, { id, after })
        const { members, whole } = data.organization
        ids.push(...idsOf(members.nodes))
        after = members.pageInfo.endCursor
        more = members.pageInfo.hasNextPage
        if (!more) expect(ids).toEqual(idsOf(whole.nodes))
      }
    }
  })

  test('another user’s are those in organizations shared with the caller', async () => {
    const token = await rita.jwt()
    const shared = new Set(organizationIds.filter((id) => hostile.memberships(rita, id).length > 0))
    for (const permission of permissions) {
      const variables = { ids: idsOf(people), permission }
      const everything = (await read(membershipsQuery, variables)).usersByIds
      const seen = (await read(membershipsQuery, variables, token)).usersByIds
      for (const [index, { id }] of people.entries()) {
        if (seen[index] === null) continue
        const mine = everything[index].all.nodes.filter(
          ({ organization }: { organization: { id: string } }) =>
            id === rita.id || shared.has(organization.id),
        )
        expect(idsOf(seen[index].having.nodes)).toEqual(allowedIn(mine))
        expect(seen[index].having.totalCount).toBe(allowedIn(mine).length)
        expect(seen[index].organizations.totalCount).toBe(allowedIn(mine).length)
      }
    }
  })
})

test.each([
  [
    'members',
    'organizationsByIds(ids: $ids) { members(filter: { permission: "leave:approve" }) { totalCount nodes { id } } }',
    () => organizationIds,
  ],
  [
    'memberships',
    'usersByIds(ids: $ids) { memberships(filter: { permission: "leave:approve" }) { totalCount nodes { id } } }',
    () => idsOf(people),
  ],
  [
    'organizations',
    'usersByIds(ids: $ids) { organizations(filter: { permission: "leave:approve" }) { totalCount nodes { id } } }',
    () => idsOf(people),
  ],
])('%s with a permission take as many statements for one as for all', async (list, query, ids) => {
  const statements = async (asked: readonly string[]) =>
    recordStatements(identity.database.name, () =>
      read(`query ($ids: [ID!]!) { ${query} }`, { ids: asked }),
    )
  const one = await statements(ids().slice(0, 1))
  const all = await statements(ids())
  expect(all).toHaveLength(one.length)
  process.stdout.write(`measured: ${list} with a permission: ${all.length} SQL\n`)
})

describe('the roles of an organization', () => {
  const query = 'query ($id: ID!) { organization(id: $id) { roles { name permissions source } } }'

  test('are the configured ones and those in its database, with what each grants', async () => {
    for (const [id, rows] of hostile.organizations) {
      const granted = new Map<string, { sources: Set<string>; permissions: Set<string> }>()
      const add = (name: string, source: string, statements: Record<string, readonly string[]>) => {
        const role = granted.get(name) ?? { sources: new Set(), permissions: new Set() }
        granted.set(name, role)
        role.sources.add(source)
        for (const [resource, actions] of Object.entries(statements))
          for (const action of actions)
            if (/^[^:]+$/.test(resource) && action !== '')
              role.permissions.add(`${resource}:${action}`)
      }
      for (const [name, statements] of Object.entries(accessControl.roles))
        add(name, 'STATIC', statements)
      for (const { role, permission } of rows)
        add(role, 'DYNAMIC', malformed.includes(permission) ? {} : JSON.parse(permission))
      const expected = [...granted].map(([name, role]) => ({
        name,
        permissions: [...role.permissions].sort(),
        source: role.sources.size === 2 ? 'BOTH' : [...role.sources][0],
      }))
      const { roles } = (await read(query, { id })).organization
      expect(roles).toEqual(expected.sort((a, b) => (a.name < b.name ? -1 : 1)))
    }
  })
})
