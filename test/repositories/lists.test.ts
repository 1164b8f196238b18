import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type GatewayUnderTest, gatewayFor } from '../support/gateway.ts'
import { type Identity, startIdentity } from '../support/identity.ts'
import { type ServiceIssuer, startServiceIssuer } from '../support/tokens.ts'
import { byTime, type Entry, entries, letters, pageOf, pages, start } from './plain-list.ts'

let identity: Identity
let services: ServiceIssuer
let gateway: GatewayUnderTest
/** Whose lists are read, and by whom: themselves, somebody who shares some organizations, or a service. */
const people = { them: '', other: '' }
const tokens = { service: '', them: '', other: '' }

beforeAll(async () => {
  identity = await startIdentity()
  services = await startServiceIssuer()
  for (const who of ['them', 'other'] as const) {
    const person = await identity.signUp(who)
    people[who] = person.id
    tokens[who] = await person.jwt()
  }
  tokens.service = await services.token()
  gateway = gatewayFor(identity, {
    SERVICE_ISSUER: services.issuer,
    SERVICE_AUDIENCE: services.audience,
    SERVICE_JWKS_URL: services.jwksUrl,
  })
  // Names sort as people expect it, ids by their bytes: neither may be taken for the other.
  for (const table of ['users', 'organizations'])
    await identity.sql(`alter table ${table} alter name type text collate "und-x-icu"`)
})

afterAll(async () => {
  await gateway.close()
  await services.stop()
  await identity.stop()
})

interface ListUnderTest {
  /** Whose rows are the entries. */
  readonly table: string
  /** From the root to the field. */
  readonly field: string
  readonly arguments?: string
  /** How a node tells which entry it is. */
  readonly node?: string
  readonly token?: keyof typeof tokens
  /** What `ORDER BY` makes of the stored rows, where it is not the time. */
  readonly order?: { readonly of: string; readonly by: string }
  readonly descending?: boolean
  readonly holds?: (entry: Entry) => boolean
}

/** All entries as JSON are $1. */
const rows = `jsonb_to_recordset($1) as e (id text, at int, name text, role text, kind int)`
const at = `'${start}'::timestamptz + e.at * interval '1 microsecond'`

/** Adds entries to a table, with whatever they need. Ids of what they need are hashes, so that ties show. */
const fill: Record<string, () => string[]> = {
  members: () => [
    addUsers('md5(e.id)'),
    `insert into members (id, organization_id, user_id, role, created_at)
     select e.id, 'o', md5(e.id), e.role, ${at} from ${rows}`,
  ],
  memberships: () => [
    addOrganizations('md5(e.id)'),
    `insert into members (id, organization_id, user_id, role, created_at)
     select e.id, md5(e.id), '${people.them}', e.role, ${at} from ${rows}`,
    `insert into members (id, organization_id, user_id, role, created_at)
     select 'other' || e.id, md5(e.id), '${people.other}', 'member', ${at} from ${rows} where e.kind < 2`,
  ],
  users: () => [addUsers('e.id')],
  organizations: () => [addOrganizations('e.id')],
  invitations: () => [
    `insert into invitations (id, organization_id, email, role, status, expires_at, created_at, inviter_id)
     select e.id, 'o', 'them@example.com', e.role,
       (array['pending', 'accepted', 'rejected', 'canceled'])[e.kind + 1], now(), ${at}, '${people.other}' from ${rows}`,
  ],
  teams: () => [
    `insert into teams (id, organization_id, name, member_count, created_at)
     select e.id, 'o', e.name, 0, ${at} from ${rows}`,
  ],
  team_members: () => [
    addUsers('md5(e.id)'),
    `insert into team_members (id, team_id, user_id, created_at)
     select e.id, 'team', md5(e.id), case when e.kind > 0 then ${at} end from ${rows}`,
  ],
  sessions: () => [
    `insert into sessions (id, user_id, token, expires_at, created_at, updated_at)
     select e.id, '${people.them}', e.id, now() + (1 - e.kind) * interval '1 day' + interval '1 minute', ${at}, now() from ${rows}`,
  ],
}

const addUsers = (id: string) =>
  `insert into users (id, name, email, email_verified, username, role, banned, created_at, updated_at)
   select ${id}, e.name, md5('@' || e.id) || '@example.com', true,
     case when e.kind = 0 then md5('u' || e.id) end, e.role,
     (array[null, false, true, true])[e.kind + 1], ${at}, now() from ${rows}`

const addOrganizations = (id: string) =>
  `insert into organizations (id, name, slug, created_at)
   select ${id}, e.name, 's' || e.id, ${at} from ${rows}`

async function store(table: string, added: readonly Entry[]): Promise<void> {
  for (const statement of fill[table]?.() ?? [])
    await identity.sql(statement, [JSON.stringify(added)])
}

/** Nothing is left but what the lists hang on. */
async function clear(table: string): Promise<void> {
  await identity.sql('delete from users')
  await identity.sql('delete from organizations')
  if (table === 'users') return
  await identity.sql(
    `insert into users (id, name, email, email_verified, created_at, updated_at)
     values ($1, 'them', 'them@example.com', true, now(), now()),
       ($2, 'other', 'other@example.com', true, now(), now())`,
    [people.them, people.other],
  )
  if (table === 'organizations') return
  await identity.sql(
    `insert into organizations (id, name, slug, created_at)
     values ('o', 'O', 'o', now()), ('always', 'Always', 'always', now())`,
  )
  await identity.sql(`insert into teams (id, organization_id, name, member_count, created_at)
    values ('team', 'always', 'Team', 0, now())`)
}

interface Connection {
  readonly totalCount: number
  readonly nodes: { readonly id: string }[]
  readonly edges: { readonly cursor: string; readonly node: { readonly id: string } }[]
  readonly pageInfo: {
    readonly hasNextPage: boolean
    readonly hasPreviousPage: boolean
    readonly startCursor: string | null
    readonly endCursor: string | null
  }
}

/** Several pages in one request. */
async function read(
  { field, arguments: more = '', node = 'id', token = 'service' }: ListUnderTest,
  asked: readonly string[],
): Promise<Connection[]> {
  const depth = field.split('{').length - 1
  const [outer, ...inner] = field.split('{')
  const path = [outer?.trim(), ...inner].join('{')
  const selection = `totalCount nodes { ${node} } edges { cursor node { ${node} } }
    pageInfo { hasNextPage hasPreviousPage startCursor endCursor }`
  const query = asked.map(
    (page, i) =>
      `p${i}: ${depth === 0 ? path : path.replace(/\{\s*(\w+)$/, '{ list: $1')}(${page} ${more}) { ${selection} } ${'}'.repeat(depth)}`,
  )
  const { data, errors } = await gateway.graphql(`{ ${query.join('\n')} }`, {
    token: tokens[token],
  })
  expect(errors).toEqual([])
  return asked.map((_, i) => (depth === 0 ? data[`p${i}`] : data[`p${i}`].list))
}

function toPage({ totalCount, nodes, edges, pageInfo }: Connection) {
  const ids = nodes.map(({ id }) => id)
  expect(edges.map(({ node }) => node.id)).toEqual(ids)
  expect(pageInfo.startCursor).toBe(edges[0]?.cursor ?? null)
  expect(pageInfo.endCursor).toBe(edges.at(-1)?.cursor ?? null)
  const { hasNextPage, hasPreviousPage } = pageInfo
  return { ids, hasNextPage, hasPreviousPage, totalCount }
}

/** All entries that the list ever holds, in its order. */
async function sort(list: ListUnderTest, all: readonly Entry[]): Promise<readonly Entry[]> {
  const held = all.filter(list.holds ?? (() => true))
  const sorted = list.order
    ? await sortInDatabase(list.order, held)
    : [...held].sort(list.table === 'team_members' ? byTimeIfAny : byTime)
  return list.descending ? sorted.toReversed() : sorted
}

async function sortInDatabase({ of, by }: { of: string; by: string }, held: readonly Entry[]) {
  const sorted = await identity.sql<{ id: string }>(`select e.id from ${of} order by ${by}, e.id`)
  return sorted.flatMap(({ id }) => held.filter((entry) => entry.id === id))
}

function byTimeIfAny(a: Entry, b: Entry): number {
  const untimed = ({ kind }: Entry) => kind === 0
  if (untimed(a) && untimed(b)) return a.id < b.id ? -1 : 1
  return Number(untimed(b)) - Number(untimed(a)) || byTime(a, b)
}

/** Entries are stored, cursors taken, entries come and go, and pages between any cursors are read. */
async function check(list: ListUnderTest, runs: number): Promise<void> {
  const property = fc.asyncProperty(entries, pages, async (all, asked) => {
    await clear(list.table)
    await store(list.table, all)
    const sorted = await sort(list, all)
    const early = sorted.filter(({ life }) => life !== 'comes')
    const remove = async (life: Entry['life']) => {
      const ids = all.filter((entry) => entry.life === life).map(({ id }) => id)
      const table = list.table === 'memberships' ? 'members' : list.table
      await identity.sql(`delete from ${table} where id = any($1)`, [ids])
      return all.filter((entry) => entry.life === life)
    }
    const late = await remove('comes')
    const [first] = await read(list, ['first: 100'])
    const cursors = first?.edges.map(({ cursor }) => cursor) ?? []
    expect(first?.nodes.map(({ id }) => id)).toEqual(early.map((entry) => nodeOf(list, entry)))
    for (const table of late.length === 0 ? [] : [list.table]) {
      await forget(table, late)
      await store(table, late)
    }
    await remove('goes')
    const placeOf = (place: number | undefined) =>
      place === undefined || early.length === 0 ? undefined : place % early.length
    const requests = asked.map(({ size, from, after, before }) => {
      const [a, b] = [placeOf(after), placeOf(before)]
      const cursorArguments = [
        ...(a === undefined ? [] : [`after: "${cursors[a]}"`]),
        ...(b === undefined ? [] : [`before: "${cursors[b]}"`]),
      ]
      return {
        text: [`${from === 'start' ? 'first' : 'last'}: ${size}`, ...cursorArguments].join(' '),
        expected: pageOf(sorted, ({ life }) => life !== 'goes', {
          size,
          from,
          after: a === undefined ? undefined : early[a],
          before: b === undefined ? undefined : early[b],
        }),
      }
    })
    const answers = await read(list, requests.map(({ text }) => text))
    const byId = new Map(all.map((entry) => [entry.id, entry]))
    for (const [i, { text, expected }] of requests.entries()) {
      const ids = expected.ids.map((id) => nodeOf(list, byId.get(id)))
      const [answer] = answers.slice(i, i + 1)
      expect(answer && toPage(answer), text).toEqual({ ...expected, ids })
    }
  })
  await fc.assert(property, { numRuns: runs })
}

function nodeOf({ node }: ListUnderTest, entry: Entry | undefined): string | undefined {
  return node === undefined ? entry?.id : `s${entry?.id}`
}

/** What an entry needed is still there when the entry itself has gone. */
async function forget(table: string, gone: readonly Entry[]): Promise<void> {
  const ids = gone.map(({ id }) => md5(id))
  if (table === 'members' || table === 'team_members')
    await identity.sql('delete from users where id = any($1)', [ids])
  if (table === 'memberships')
    await identity.sql('delete from organizations where id = any($1)', [ids])
}

function md5(text: string): string {
  return createHash('md5').update(text).digest('hex')
}

const rolesOf = ({ role }: Entry) => role.split(',').map((name) => name.trim())
const holdsOneOf = (roles: readonly string[]) => (entry: Entry) =>
  rolesOf(entry).some((role) => roles.includes(role))

const organizationMembers = { table: 'members', field: 'organization(id: "o") { members' }
const byUserName = { of: 'members e join users u on u.id = e.user_id', by: 'u.name' }

describe('a page is what a plain sorted array would give, also when entries come and go:', () => {
  const lists: Record<string, ListUnderTest | (() => ListUnderTest)> = {
    'members, the oldest first': organizationMembers,
    'members, the newest first': {
      ...organizationMembers,
      arguments: 'orderBy: { field: CREATED_AT, direction: DESC }',
      descending: true,
    },
    'members by name': {
      ...organizationMembers,
      arguments: 'orderBy: { field: USER_NAME, direction: ASC }',
      order: byUserName,
    },
    'members by name, downwards': {
      ...organizationMembers,
      arguments: 'orderBy: { field: USER_NAME, direction: DESC }',
      order: byUserName,
      descending: true,
    },
    'members with one of two roles': {
      ...organizationMembers,
      arguments: 'filter: { roles: ["owner", "admin"] }',
      holds: holdsOneOf(['owner', 'admin']),
    },
    'members by name with a role and the beginning of a name': {
      ...organizationMembers,
      arguments:
        'filter: { roles: ["member"], search: "É" } orderBy: { field: USER_NAME, direction: ASC }',
      order: byUserName,
      holds: (entry) =>
        holdsOneOf(['member'])(entry) && entry.name.toLowerCase().startsWith('é'),
    },
    'members among some users': {
      ...organizationMembers,
      arguments: `filter: { userIds: ${JSON.stringify(['a', 'B', '0', 'aa', 'é', '-', '_'].map(md5))} }`,
      holds: ({ id }) => ['a', 'B', '0', 'aa', 'é', '-', '_'].includes(id),
    },
    'all memberships of a user': () => ({
      table: 'memberships',
      field: `user(id: "${people.them}") { memberships`,
    }),
    'their own organizations': {
      table: 'memberships',
      field: 'viewer { organizations',
      node: 'id: slug',
      token: 'them',
    },
    'their own organizations by role': {
      table: 'memberships',
      field: 'viewer { organizations',
      arguments: 'filter: { roles: ["owner"] }',
      node: 'id: slug',
      token: 'them',
      holds: holdsOneOf(['owner']),
    },
    'memberships that another user shares': () => ({
      table: 'memberships',
      field: `viewer { organizations(first: 1) { nodes { members(filter: { userIds: "${people.them}" }) { nodes { user { memberships`,
      token: 'other',
      holds: ({ kind }) => kind < 2,
    }),
    users: { table: 'users', field: 'users' },
    'users, the newest account first': {
      table: 'users',
      field: 'users',
      arguments: 'orderBy: { field: CREATED_AT, direction: DESC }',
      descending: true,
    },
    'users by name': {
      table: 'users',
      field: 'users',
      arguments: 'orderBy: { field: NAME, direction: ASC }',
      order: { of: 'users e', by: 'e.name' },
    },
    'users by name, downwards': {
      table: 'users',
      field: 'users',
      arguments: 'orderBy: { field: NAME, direction: DESC }',
      order: { of: 'users e', by: 'e.name' },
      descending: true,
    },
    'users by e-mail address, downwards': {
      table: 'users',
      field: 'users',
      arguments: 'orderBy: { field: EMAIL, direction: DESC }',
      order: { of: 'users e', by: 'e.email' },
      descending: true,
    },
    'users by e-mail address': {
      table: 'users',
      field: 'users',
      arguments: 'orderBy: { field: EMAIL, direction: ASC }',
      order: { of: 'users e', by: 'e.email' },
    },
    'users with a global role who are not banned': {
      table: 'users',
      field: 'users',
      arguments: 'filter: { role: "admin", banned: false }',
      holds: (entry) => holdsOneOf(['admin'])(entry) && entry.kind < 2,
    },
    'banned users': {
      table: 'users',
      field: 'users',
      arguments: 'filter: { banned: true }',
      holds: ({ kind }) => kind >= 2,
    },
    'users made after an instant': {
      table: 'users',
      field: 'users',
      arguments: 'filter: { createdAfter: "2026-03-29T01:00:00Z" }',
      holds: (entry) => entry.at > 10,
    },
    'users made before an instant': {
      table: 'users',
      field: 'users',
      arguments: 'filter: { createdBefore: "2026-03-29T03:00:00+02:00" }',
      holds: (entry) => entry.at < 10,
    },
    organizations: { table: 'organizations', field: 'organizations' },
    'organizations, the newest first': {
      table: 'organizations',
      field: 'organizations',
      arguments: 'orderBy: { field: CREATED_AT, direction: DESC }',
      descending: true,
    },
    'organizations by name': {
      table: 'organizations',
      field: 'organizations',
      arguments: 'orderBy: { field: NAME, direction: ASC }',
      order: { of: 'organizations e', by: 'e.name' },
    },
    'organizations by name, downwards': {
      table: 'organizations',
      field: 'organizations',
      arguments: 'orderBy: { field: NAME, direction: DESC }',
      order: { of: 'organizations e', by: 'e.name' },
      descending: true,
    },
    invitations: { table: 'invitations', field: 'organization(id: "o") { invitations' },
    'invitations that were rejected': {
      table: 'invitations',
      field: 'organization(id: "o") { invitations',
      arguments: 'status: REJECTED',
      holds: ({ kind }) => kind === 2,
    },
    'invitations received': {
      table: 'invitations',
      field: 'viewer { receivedInvitations',
      token: 'them',
      holds: ({ kind }) => kind === 0,
    },
    teams: { table: 'teams', field: 'organization(id: "o") { teams' },
    'members of a team, those without a time first': {
      table: 'team_members',
      field: 'organization(id: "always") { teams { nodes { members',
    },
    'sessions that last': () => ({
      table: 'sessions',
      field: `user(id: "${people.them}") { sessions`,
      holds: ({ kind }) => kind <= 1,
    }),
  }

  test.each(Object.keys(lists))('%s', async (name) => {
    const list = lists[name]
    if (list) await check(typeof list === 'function' ? list() : list, 25)
  })
})

void letters
