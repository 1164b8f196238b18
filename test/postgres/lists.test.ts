import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type GatewayUnderTest, type GraphQLAnswer, gatewayFor } from '../support/gateway.ts'
import { type Identity, startIdentity } from '../support/identity.ts'
import { type ServiceIssuer, startServiceIssuer } from '../support/tokens.ts'
import { byTime, type Entry, entries, pageOf, pages, start } from './plain-list.ts'

let identity: Identity
let services: ServiceIssuer
let gateway: GatewayUnderTest
/** Looks at three rows for a page. */
let frugal: GatewayUnderTest
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
  const settings = {
    SERVICE_ISSUER: services.issuer,
    SERVICE_AUDIENCE: services.audience,
    SERVICE_JWKS_URL: services.jwksUrl,
    // Its documents ask for what no page does.
    LIMIT_COST: '1000000',
  }
  gateway = gatewayFor(identity, settings)
  frugal = gatewayFor(identity, { ...settings, LIMIT_ROWS: '3' })
  // Names sort as people expect it, ids by their bytes: neither may be taken for the other.
  for (const table of ['users', 'organizations'])
    await identity.sql(`alter table ${table} alter name type text collate "und-x-icu"`)
})

afterAll(async () => {
  await gateway.close()
  await frugal.close()
  await services.stop()
  await identity.stop()
})

interface ListUnderTest {
  /** Whose rows are the entries. */
  readonly table: string
  readonly field: string
  /** How to get to the field, which stands at the `@`. */
  readonly path?: () => string
  readonly arguments?: string
  /** How a node tells which entry it is. */
  readonly node?: 'id: slug'
  readonly token?: keyof typeof tokens
  /** What PostgreSQL is asked to sort, and by what, where it is not the time. */
  readonly order?: { readonly of: string; readonly by: string }
  readonly descending?: boolean
  readonly holds?: (entry: Entry) => boolean
  /** Whether rows are looked at that the list does not hold, or holds elsewhere. */
  readonly isBounded?: true
}

/** All entries as JSON are $1. */
const rows = `jsonb_to_recordset($1) as e (id text, at int, name text, role text, kind int)`
const time = `'${start}'::timestamptz + e.at * interval '1 microsecond'`

/** Adds entries to a table, with whatever they need. Ids of what they need are hashes, so that ties show. */
const fill: Record<string, () => string[]> = {
  members: () => [
    addUsers('md5(e.id)'),
    `insert into members (id, organization_id, user_id, role, created_at)
     select e.id, 'o', md5(e.id), e.role, ${time} from ${rows}`,
  ],
  memberships: () => [
    addOrganizations('md5(e.id)'),
    `insert into members (id, organization_id, user_id, role, created_at)
     select e.id, md5(e.id), '${people.them}', e.role, ${time} from ${rows}`,
    `insert into members (id, organization_id, user_id, role, created_at)
     select 'other' || e.id, md5(e.id), '${people.other}', 'member', ${time} from ${rows} where e.kind < 2`,
  ],
  users: () => [addUsers('e.id')],
  organizations: () => [addOrganizations('e.id')],
  invitations: () => [
    `insert into members (id, organization_id, user_id, role, created_at)
     select 'inviter', 'o', '${people.other}', 'admin', now() from (select $1::jsonb) as unused`,
    `insert into invitations (id, organization_id, email, role, status, expires_at, created_at, inviter_id)
     select e.id, 'o', 'them@example.com', e.role,
       (array['pending', 'accepted', 'rejected', 'canceled'])[e.kind + 1], now(), ${time}, '${people.other}' from ${rows}`,
  ],
  teams: () => [
    `insert into teams (id, organization_id, name, member_count, created_at)
     select e.id, 'o', e.name, 0, ${time} from ${rows}`,
  ],
  team_members: () => [
    addUsers('md5(e.id)'),
    `insert into team_members (id, team_id, user_id, membership_key, created_at)
     select e.id, 'team', md5(e.id), e.id, case when e.kind > 0 then ${time} end from ${rows}`,
  ],
  sessions: () => [
    `insert into sessions (id, user_id, token, expires_at, created_at, updated_at)
     select e.id, '${people.them}', e.id, now() + (1 - e.kind) * interval '1 day' + interval '1 minute', ${time}, now() from ${rows}`,
  ],
}

const addUsers = (id: string) =>
  `insert into users (id, name, email, email_verified, username, role, banned, created_at, updated_at)
   select ${id}, e.name, md5('@' || e.id) || '@example.com', true,
     case when e.kind = 0 then md5('u' || e.id) end, e.role,
     (array[null, false, true, true])[e.kind + 1], ${time}, now() from ${rows}`

const addOrganizations = (id: string) =>
  `insert into organizations (id, name, slug, created_at)
   select ${id}, e.name, 's' || e.id, ${time} from ${rows}`

async function store(table: string, added: readonly Entry[]): Promise<void> {
  for (const statement of fill[table]?.() ?? [])
    await identity.sql(`${statement} on conflict (id) do nothing`, [JSON.stringify(added)])
}

/** Leaves nothing but what the lists hang on. */
async function clear(table: string): Promise<void> {
  await identity.sql('delete from users')
  await identity.sql('delete from organizations')
  if (table !== 'users')
    await identity.sql(
      `insert into users (id, name, email, email_verified, role, created_at, updated_at)
       values ($1, 'them', 'them@example.com', true, 'user', now(), now()),
         ($2, 'other', 'other@example.com', true, 'admin', now(), now())`,
      [people.them, people.other],
    )
  if (table === 'organizations') return
  await identity.sql(`insert into organizations (id, name, slug, created_at)
    values ('o', 'O', 'o', now()), ('team', 'Team', 'team', now())`)
  await identity.sql(`insert into teams (id, organization_id, name, member_count, created_at)
    values ('team', 'team', 'Team', 0, now())`)
}

interface Connection {
  readonly totalCount: number
  readonly totalCountIsExact: boolean
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
async function read(list: ListUnderTest, asked: readonly string[]): Promise<Connection[]> {
  const { data, errors } = await ask(gateway, list, asked)
  if (areRefused(list, errors)) return asked.map(() => nothingShared)
  expect(errors).toEqual([])
  return asked.map((_, i) => findConnection(data[`p${i}`]))
}

/** Whoever shares no organization with another is refused what they would share. */
function areRefused({ token }: ListUnderTest, errors: GraphQLAnswer['errors']): boolean {
  const codes = new Set(errors.map(({ extensions }) => extensions.code))
  return token === 'other' && codes.size === 1 && codes.has('FORBIDDEN')
}

const nothingShared: Connection = {
  totalCount: 0,
  totalCountIsExact: true,
  nodes: [],
  edges: [],
  pageInfo: { hasNextPage: false, hasPreviousPage: false, startCursor: null, endCursor: null },
}

function ask(
  of: GatewayUnderTest,
  { field, path = () => '@', token = 'service', ...list }: ListUnderTest,
  asked: readonly string[],
) {
  const node = list.node ?? 'id'
  const fields = asked.map((page, i) => {
    const call = `${field}(${page} ${list.arguments ?? ''}) { totalCount totalCountIsExact nodes { ${node} }
      edges { cursor node { ${node} } }
      pageInfo { hasNextPage hasPreviousPage startCursor endCursor } }`
    return `p${i}: ${path().replace('@', () => call)}`
  })
  return of.graphql(`{ ${fields.join('\n')} }`, { token: tokens[token] })
}

function findConnection(value: object): Connection {
  if ('totalCount' in value) return value as Connection
  const [inner] = Object.values(value)
  return findConnection(inner)
}

function toPage({ totalCount, totalCountIsExact, nodes, edges, pageInfo }: Connection) {
  const ids = nodes.map(({ id }) => id)
  expect(edges.map(({ node }) => node.id)).toEqual(ids)
  expect(pageInfo.startCursor).toBe(edges[0]?.cursor ?? null)
  expect(pageInfo.endCursor).toBe(edges.at(-1)?.cursor ?? null)
  const { hasNextPage, hasPreviousPage } = pageInfo
  expect(totalCountIsExact).toBe(true)
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
async function check(list: ListUnderTest): Promise<void> {
  const toNode = ({ id }: { readonly id: string }) => (list.node === undefined ? id : `s${id}`)
  const property = fc.asyncProperty(entries, pages, async (all, asked) => {
    await clear(list.table)
    await store(list.table, all)
    const sorted = await sort(list, all)
    await remove(list, all, 'comes')
    const early = sorted.filter(({ life }) => life !== 'comes')
    const [first] = await read(list, ['first: 100'])
    expect(first?.nodes.map(({ id }) => id)).toEqual(early.map(toNode))
    const cursors = new Map(early.map((entry, i) => [entry, first?.edges[i]?.cursor]))
    await remove(list, all, 'goes')
    await store(
      list.table,
      all.filter(({ life }) => life === 'comes'),
    )
    const requests = asked.map(({ size, from, ...places }) => {
      const after = pick(early, places.after)
      const before = pick(early, places.before)
      const text = [
        `${from === 'start' ? 'first' : 'last'}: ${size}`,
        ...(after ? [`after: "${cursors.get(after)}"`] : []),
        ...(before ? [`before: "${cursors.get(before)}"`] : []),
      ]
      const isThere = ({ life }: Entry) => life !== 'goes'
      const expected = pageOf(sorted, isThere, { size, from, after, before })
      return {
        text: text.join(' '),
        expected: { ...expected, ids: expected.ids.map((id) => toNode({ id })) },
      }
    })
    const answers = await read(
      list,
      requests.map(({ text }) => text),
    )
    expect(answers.map(toPage)).toEqual(requests.map(({ expected }) => expected))
    if (list.isBounded) await checkFrugal(list, requests)
  })
  await fc.assert(property, { numRuns: 30 })
}

/** Where few rows may be looked at, a page is the same, or refused; and a length is the same, or said not to be. */
async function checkFrugal(list: ListUnderTest, requests: readonly Requested[]): Promise<void> {
  const texts = requests.map(({ text }) => text)
  const { data, errors } = await ask(frugal, list, texts)
  if (areRefused(list, errors)) {
    expect(requests.map(({ expected }) => expected.totalCount)).toEqual(requests.map(() => 0))
    return
  }
  const refused = errors.map(({ path, extensions }) => {
    expect(extensions.code).toBe('LIMIT_EXCEEDED')
    return path?.[0]
  })
  for (const [i, { expected }] of requests.entries()) {
    if (refused.includes(`p${i}`)) continue
    const { nodes, pageInfo, totalCount, totalCountIsExact } = findConnection(data[`p${i}`])
    expect(nodes.map(({ id }) => id)).toEqual(expected.ids)
    if (pageInfo.hasNextPage) expect(expected.hasNextPage).toBe(true)
    if (pageInfo.hasPreviousPage) expect(expected.hasPreviousPage).toBe(true)
    if (totalCountIsExact) expect(totalCount).toBe(expected.totalCount)
    else expect(totalCount).toBeLessThanOrEqual(expected.totalCount)
  }
}

interface Requested {
  readonly text: string
  readonly expected: ReturnType<typeof pageOf>
}

async function remove({ table }: ListUnderTest, all: readonly Entry[], life: Entry['life']) {
  const ids = all.filter((entry) => entry.life === life).map(({ id }) => id)
  const from = table === 'memberships' ? 'members' : table
  await identity.sql(`delete from ${from} where id = any($1)`, [ids])
}

function pick(early: readonly Entry[], place: number | undefined): Entry | undefined {
  return place === undefined ? undefined : early[place % early.length]
}

function md5(text: string): string {
  return createHash('md5').update(text).digest('hex')
}

const rolesOf = ({ role }: Entry) => role.split(',').map((name) => name.trim())
const holdsOneOf = (roles: readonly string[]) => (entry: Entry) =>
  rolesOf(entry).some((role) => roles.includes(role))

const ofOrganization = () => 'organization(id: "o") { @ }'
const ofViewer = () => 'viewer { @ }'
const ofThem = () => `user(id: "${people.them}") { @ }`
const members = { table: 'members', field: 'members', path: ofOrganization }
const byUserName = { of: 'members e join users u on u.id = e.user_id', by: 'u.name' }
const ownOrganizations = {
  table: 'memberships',
  field: 'organizations',
  path: ofViewer,
  node: 'id: slug',
  token: 'them',
} as const
const users = { table: 'users', field: 'users' }
const organizations = { table: 'organizations', field: 'organizations' }
const some = ['a', 'B', '0', 'aa', 'é', '-', '_']
const orderBy = (field: string, direction: 'ASC' | 'DESC') =>
  `orderBy: { field: ${field}, direction: ${direction} }`

const lists: Record<string, ListUnderTest> = {
  'members, the oldest first': { ...members, isBounded: true },
  'members, the newest first': {
    ...members,
    arguments: orderBy('CREATED_AT', 'DESC'),
    descending: true,
  },
  'members by name': {
    isBounded: true,
    ...members,
    arguments: orderBy('USER_NAME', 'ASC'),
    order: byUserName,
  },
  'members by address': {
    isBounded: true,
    ...members,
    arguments: orderBy('USER_EMAIL', 'ASC'),
    order: { ...byUserName, by: 'u.email' },
  },
  'members by role, downwards': {
    isBounded: true,
    ...members,
    arguments: orderBy('ROLE', 'DESC'),
    order: { ...byUserName, by: 'e.role' },
    descending: true,
  },
  'members by name, downwards': {
    ...members,
    arguments: orderBy('USER_NAME', 'DESC'),
    order: byUserName,
    descending: true,
  },
  'members with one of two roles': {
    isBounded: true,
    ...members,
    arguments: 'filter: { roles: ["owner", "admin"] }',
    holds: holdsOneOf(['owner', 'admin']),
  },
  'members by name with a role and the beginning of a word of the name': {
    isBounded: true,
    ...members,
    arguments: `filter: { roles: ["member", "owner"], search: "É" } ${orderBy('USER_NAME', 'ASC')}`,
    order: byUserName,
    holds: (entry) =>
      holdsOneOf(['member', 'owner'])(entry) && /(^|[^\p{L}\p{N}])é/iu.test(entry.name),
  },
  'members among some users, the newest first': {
    isBounded: true,
    ...members,
    arguments: `filter: { userIds: ${JSON.stringify(some.map(md5))} } ${orderBy('CREATED_AT', 'DESC')}`,
    descending: true,
    holds: ({ id }) => some.includes(id),
  },
  'all memberships of a user, for a service': {
    table: 'memberships',
    field: 'memberships',
    path: ofThem,
  },
  'memberships that another user shares': {
    isBounded: true,
    table: 'memberships',
    field: 'memberships',
    path: ofThem,
    token: 'other',
    holds: ({ kind }) => kind < 2,
  },
  'organizations of the viewer': ownOrganizations,
  'organizations of the viewer by name': {
    isBounded: true,
    ...ownOrganizations,
    arguments: orderBy('NAME', 'ASC'),
    order: {
      of: 'members e join organizations o on o.id = e.organization_id',
      by: 'o.name',
    },
  },
  'organizations of the viewer by role': {
    isBounded: true,
    ...ownOrganizations,
    arguments: 'filter: { roles: ["owner"] }',
    holds: holdsOneOf(['owner']),
  },
  'organizations that another user shares, by role': {
    ...ownOrganizations,
    path: ofThem,
    token: 'other',
    arguments: 'filter: { roles: ["member", "admin"] }',
    holds: (entry) => entry.kind < 2 && holdsOneOf(['member', 'admin'])(entry),
  },
  users,
  'users, the newest account first': {
    ...users,
    arguments: orderBy('CREATED_AT', 'DESC'),
    descending: true,
  },
  'users by name': {
    ...users,
    arguments: orderBy('NAME', 'ASC'),
    order: { of: 'users e', by: 'e.name' },
  },
  'users by name, downwards': {
    ...users,
    arguments: orderBy('NAME', 'DESC'),
    order: { of: 'users e', by: 'e.name' },
    descending: true,
  },
  'users by e-mail address': {
    ...users,
    arguments: orderBy('EMAIL', 'ASC'),
    order: { of: 'users e', by: 'e.email' },
  },
  'users by e-mail address, downwards': {
    ...users,
    arguments: orderBy('EMAIL', 'DESC'),
    order: { of: 'users e', by: 'e.email' },
    descending: true,
  },
  'users with a global role who are not banned': {
    isBounded: true,
    ...users,
    arguments: 'filter: { role: "admin", banned: false }',
    holds: (entry) => holdsOneOf(['admin'])(entry) && entry.kind < 2,
  },
  'banned users': {
    isBounded: true,
    ...users,
    arguments: 'filter: { banned: true }',
    holds: ({ kind }) => kind >= 2,
  },
  'users made after an instant': {
    ...users,
    arguments: 'filter: { createdAfter: "2026-03-29T01:00:00Z" }',
    holds: ({ at }) => at > 10,
  },
  'users made before an instant': {
    isBounded: true,
    ...users,
    arguments: 'filter: { createdBefore: "2026-03-29T03:00:00+02:00" }',
    holds: ({ at }) => at < 10,
  },
  organizations,
  'organizations, the newest first': {
    ...organizations,
    arguments: orderBy('CREATED_AT', 'DESC'),
    descending: true,
  },
  'organizations by name': {
    ...organizations,
    arguments: orderBy('NAME', 'ASC'),
    order: { of: 'organizations e', by: 'e.name' },
  },
  'organizations by name, downwards': {
    ...organizations,
    arguments: orderBy('NAME', 'DESC'),
    order: { of: 'organizations e', by: 'e.name' },
    descending: true,
  },
  'invitations, for a service': {
    table: 'invitations',
    field: 'invitations',
    path: ofOrganization,
  },
  'invitations that were rejected': {
    table: 'invitations',
    field: 'invitations',
    path: ofOrganization,
    arguments: 'status: REJECTED',
    holds: ({ kind }) => kind === 2,
  },
  'pending invitations that do not offer the creator role, for one who does not hold it': {
    isBounded: true,
    table: 'invitations',
    field: 'invitations',
    path: ofOrganization,
    token: 'other',
    arguments: 'status: PENDING',
    holds: (entry) => entry.kind === 0 && !holdsOneOf(['owner'])(entry),
  },
  'pending invitations received': {
    isBounded: true,
    table: 'invitations',
    field: 'receivedInvitations',
    path: ofViewer,
    token: 'them',
    holds: ({ kind }) => kind === 0,
  },
  teams: { table: 'teams', field: 'teams', path: ofOrganization },
  'members of a team, those without a time first': {
    table: 'team_members',
    field: 'members',
    path: () => 'organization(id: "team") { teams { nodes { @ } } }',
  },
  'sessions that have not expired': {
    isBounded: true,
    table: 'sessions',
    field: 'sessions',
    path: ofThem,
    holds: ({ kind }) => kind < 2,
  },
}

describe('a page is what a plain sorted array would give, also when entries come and go:', () => {
  test.each(Object.keys(lists))('%s', async (name) => {
    const list = lists[name]
    if (list) await check(list)
  })
})
