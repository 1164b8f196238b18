import {
  type GraphQLField,
  type GraphQLObjectType,
  getNamedType,
  isObjectType,
  isRequiredArgument,
  isUnionType,
} from 'graphql'
import { beforeAll, describe, expect, test, vi } from 'vitest'
import { scopes } from '../../src/domain/caller.ts'
import {
  acceptingKeys,
  createKeys,
  organizationConfig,
  permissionsFor,
} from '../support/api-keys.ts'
import { federatedGraph } from '../support/federated-graph.ts'
import type { Organization, Person } from '../support/identity.ts'
import { createApp } from '../support/oauth.ts'
import { world } from '../support/world.ts'

const DEPTH = 8
/** For what is compared with a walk of another: most edges come after few others. */
const SHALLOW = 3
// A walk is some three hundred deep queries.
vi.setConfig({ testTimeout: 120_000 })
const schema = federatedGraph()

const { gatewayWith, identity, services, sql, root, ada, bob, carol, eve, rita, ivy, ines } =
  await world({ own: true })
const giveKey = await createKeys(identity)
const { app, environment: ofApps } = await createApp(identity)
const gateway = gatewayWith({
  ...ofApps,
  ...(await acceptingKeys(identity)),
  FEDERATION: 'on',
  // Walks farther at once than a client may.
  LIMIT_COST: '10000000',
  LIMIT_DEPTH: '100',
  LIMIT_TOKENS: '100000',
})
const organizations: Organization[] = []
const people = [ada, bob, carol, eve, rita, ivy, ines]

/**
 * Circles of organizations that overlap: person i is in organizations i to i + 2 of nine, so everybody is joined to
 * everybody by some path, but shares an organization with four people alone.
 */
beforeAll(async () => {
  await sql('delete from organizations')
  people.push(await identity.signUp('Dan'), await identity.signUp('Finn'))
  for (const [i, person] of people.entries()) {
    const organization = await identity.createOrganization(person, `Organization ${i}`)
    organizations.push(organization)
    for (const step of [1, 2]) {
      const joining = people[(i + step) % people.length]
      if (joining) await identity.addMember(organization, joining, 'approver')
    }
  }
  await identity.betterAuth.auth.api.createInvitation({
    body: { organizationId: organizations[0]?.id ?? '', email: eve.email, role: 'member' },
    headers: ada.headers,
  })
})

/** Ids by the name of their type. */
type Reached = Readonly<Record<string, ReadonlySet<string>>>

const person = people[4] as Person

test('a user reaches their own organizations and co-members alone', async () => {
  const reached = await walk({ token: await person.jwt() })
  const circle = await circleOf(person)
  for (const [type, ids] of Object.entries(reached))
    expect(
      [...ids].filter((id) => !circle[type]?.has(id)),
      type,
    ).toEqual([])
  expect(sizesOf(reached)).toMatchObject({ Organization: 3, Member: 9, User: 5 })
})

test('a platform admin reaches every user, and no organization of theirs', async () => {
  const reached = await walk({ token: await root.jwt() })
  expect(reached.User?.size).toBe(10)
  for (const type of ['Organization', 'Member', 'Team', 'Invitation'])
    expect(reached[type], type).toBeUndefined()
})

test('without a credential nothing is reached', async () => {
  expect(await walk({}, 2)).toEqual({})
})

test('a service that may check permissions alone reaches nothing', async () => {
  expect(await walk({ token: await services.token('permissions:check') }, 2)).toEqual({})
})

test('a service that may read reaches everything, so the walk would find a leak', async () => {
  const reached = await walk({ token: await services.token('identity:read') })
  expect(sizesOf(reached)).toMatchObject({ Organization: 9, Member: 27, User: 10 })
})

describe('an app or a key', () => {
  const keyFor = async (row: Parameters<typeof giveKey>[0]): Promise<Credential> => ({
    headers: { 'x-api-key': await giveKey(row) },
  })
  const subsets = Array.from({ length: 2 ** scopes.length }, (_, bits) =>
    scopes.filter((_, place) => bits & (2 ** place)).join(' '),
  )
  /** Without the scope to read no door opens. */
  const depthFor = (granted: string) => (granted.includes('identity:read') ? SHALLOW : 2)
  let own: Promise<Reached> | undefined
  /** What the user reaches, without what no app is shown. */
  const expected = async (granted: string): Promise<Reached> => {
    if (!granted.includes('identity:read')) return {}
    own ??= walk({ token: await person.jwt() }, SHALLOW)
    const { Session, Account, ...reached } = await own
    expect([Session?.size, Account?.size]).toEqual([1, 1])
    return reached
  }

  test.each(subsets)('of a user, with "%s", reaches what the user does', async (granted) => {
    const reached = await walk({ token: await app.token(person, granted) }, depthFor(granted))
    expect(reached).toEqual(await expected(granted))
  })

  test('of a user, as a key, reaches the same', async () => {
    const granted = scopes.join(' ')
    const key = await keyFor({ reference_id: person.id, permissions: permissionsFor(granted) })
    expect(await walk(key, SHALLOW)).toEqual(await expected(granted))
  })

  test.each(subsets)('of an organization, with "%s", reaches that one', async (granted) => {
    const permissions = permissionsFor(granted)
    const [{ id } = { id: '' }] = organizations
    const key = { reference_id: id, config_id: organizationConfig, permissions }
    const reached = await walk(await keyFor(key), depthFor(granted))
    if (!granted.includes('identity:read')) return expect(reached).toEqual({})
    const ids = async (query: string) =>
      new Set((await sql<{ id: string }>(query, [id])).map((row) => row.id))
    expect(reached).toMatchObject({
      Organization: new Set([id]),
      Member: await ids('select id from members where organization_id = $1'),
      User: await ids('select user_id as id from members where organization_id = $1'),
    })
    expect(Object.keys(reached)).not.toEqual(
      expect.arrayContaining([expect.stringMatching(/Session|Account/)]),
    )
  })
})

/** What the database says this person may reach at most. */
async function circleOf({ id }: Person): Promise<Reached> {
  const ids = async (query: string) => {
    const rows = await sql<{ id: string }>(query, [id])
    return new Set(rows.map((row) => row.id))
  }
  const own = 'organization_id in (select organization_id from members where user_id = $1)'
  return {
    Member: await ids(`select id from members where ${own}`),
    Organization: await ids(`select organization_id as id from members where ${own}`),
    User: await ids(`select user_id as id from members where ${own}`),
    Team: await ids(`select id from teams where ${own}`),
    TeamMember: await ids(
      'select id from team_members where team_id in (select team_id from team_members where user_id = $1)',
    ),
    Session: await ids('select id from sessions where user_id = $1'),
    Account: await ids('select id from accounts where user_id = $1'),
  }
}

function sizesOf(reached: Reached): Record<string, number> {
  return Object.fromEntries(Object.entries(reached).map(([type, ids]) => [type, ids.size]))
}

type Credential = NonNullable<Parameters<typeof gateway.graphql>[1]>

/** Along every chain; answers all ids that came back. */
async function walk(credential: Credential, depth = DEPTH): Promise<Reached> {
  const reached: Record<string, Set<string>> = {}
  const values = await knownArguments()
  for (const chain of chainsOfEdges(depth)) {
    const query = `{ ${write(chain, values)} }`
    const { data, errors } = await gateway.graphql(query, credential)
    for (const { extensions } of errors)
      expect(['FORBIDDEN', 'UNAUTHENTICATED']).toContain(extensions.code)
    collect(data, reached)
  }
  return reached
}

/** A field that leads from one entity to others, or from Query, perhaps by way of a connection or a union. */
interface Edge {
  readonly from: string
  readonly field: GraphQLField<unknown, unknown>
  readonly to: string
}

function edgesFrom(type: string): Edge[] {
  return Object.values(fieldsOf(type)).flatMap((field) => {
    const target = getNamedType(field.type)
    if (isUnionType(target))
      return target.getTypes().map(({ name: to }) => ({ from: type, field, to }))
    if (!isObjectType(target)) return []
    const to = getNamedType(target.getFields().nodes?.type ?? field.type).name
    return 'id' in fieldsOf(to) ? { from: type, field, to } : []
  })
}

function fieldsOf(type: string) {
  return (schema.getType(type) as GraphQLObjectType).getFields()
}

/**
 * Chains of edges from Query that have every pair of edges that can follow one another at every depth; all chains
 * would be too many. A chain is shorter than the longest only where nothing leads on.
 */
function chainsOfEdges(longest: number): Edge[][] {
  const ended: Edge[][] = []
  let growing: Edge[][] = edgesFrom('Query').map((door) => [door])
  for (let depth = 1; depth < longest; depth++) {
    const pairs = new Set<string>()
    growing = growing.flatMap((chain) => {
      const last = chain.at(-1) as Edge
      const longer = edgesFrom(last.to).filter((next) => {
        const pair = [last, next].map(({ from, field }) => `${from}.${field.name}`).join()
        return !pairs.has(pair) && pairs.add(pair)
      })
      if (longer.length === 0) ended.push(chain)
      return longer.map((next) => [...chain, next])
    })
  }
  return [...ended, ...growing]
}

type Values = Readonly<Record<string, readonly unknown[]>>

/** For each required argument, what the walk asks with; where a union answers, for each type in it. */
async function knownArguments(): Promise<Values> {
  await sql("update users set username = 'name-' || id")
  const users = await sql<{ id: string; email: string; username: string }>(
    'select id, email, username from users',
  )
  const organizations = await sql<{ id: string; slug: string }>(
    'select id, slug from organizations',
  )
  const members = await sql<{ id: string; organization: string; user: string }>(
    'select id, organization_id as organization, user_id as user from members',
  )
  const byEnds = members.map(({ organization, user }) => ({
    organization: { id: organization },
    user: { id: user },
  }))
  const teams = await sql<{ id: string }>('select id from teams')
  const [invitation] = await sql<{ id: string }>('select id from invitations limit 1')
  return {
    'Query.user.id': users.map(({ id }) => id),
    'Query.fetch__User.id': users.map(({ id }) => id),
    'Query.fetch__Organization.id': organizations.map(({ id }) => id),
    // One of each organization, or the answers of some would be larger than one may be.
    'Query.fetch__Member.id': members.filter((_, index) => index % 3 === 0).map(({ id }) => id),
    'Query.usersByIds.ids': [users.map(({ id }) => id)],
    'Query.userByEmail.email': users.map(({ email }) => email),
    'Query.organization.id': organizations.map(({ id }) => id),
    'Query.organizationsByIds.ids': [organizations.map(({ id }) => id)],
    'Query.organizationBySlug.slug': organizations.map(({ slug }) => slug),
    'Query.usersByEmails.emails': [users.map(({ email }) => email)],
    'Query.organizationsBySlugs.slugs': [organizations.map(({ slug }) => slug)],
    'Query.membersByIds.ids': [members.map(({ id }) => id)],
    'Query.team.id': teams.map(({ id }) => id),
    'Query.fetch__Team.id': teams.map(({ id }) => id),
    'Query.invitation.id': [invitation?.id],
    ...representationsOf('User', { id: users, email: users, username: users }),
    ...representationsOf('Organization', { id: organizations, slug: organizations }),
    ...representationsOf('Member', { id: members }, byEnds),
    ...representationsOf('Team', { id: teams }),
    ...representationsOf('Invitation', { id: invitation ? [invitation] : [] }),
    'Organization.member.userId': [people[1]?.id, people[5]?.id],
  }
}

/** References to all entities of one type by each of its keys, at once. */
function representationsOf(
  type: string,
  rows: Readonly<Record<string, readonly object[]>>,
  others: readonly object[] = [],
) {
  const representations = Object.entries(rows).flatMap(([key, all]) =>
    all.map((row) => ({ __typename: type, [key]: (row as Record<string, unknown>)[key] })),
  )
  const further = others.map((key) => ({ __typename: type, ...key }))
  return { [`Query._entities.representations.${type}`]: [[...representations, ...further]] }
}

/** The selection of a chain. Small pages, from the start and from the end of lists by turns. */
function write([edge, ...rest]: readonly Edge[], values: Values): string {
  if (!edge) return ''
  const { from, field, to } = edge
  const target = getNamedType(field.type)
  const selection = `__typename id ${write(rest, values)}`
  const below = isUnionType(target) ? `... on ${to} { ${selection} }` : selection
  const paged = isObjectType(target) && 'nodes' in target.getFields()
  const fromEnd = rest.length % 2 === 0
  const inPage = fromEnd ? `edges { node { ${below} } }` : `nodes { ${below} }`
  const page = from === 'Query' ? 'first: 50' : fromEnd ? 'last: 2' : 'first: 2'
  const [argument, ...others] = field.args.filter(isRequiredArgument)
  if (!argument) return `${field.name} ${paged ? `(${page}) { ${inPage} }` : `{ ${below} }`}`
  const path = `${from}.${field.name}.${argument.name}`
  const given = values[isUnionType(target) ? `${path}.${to}` : path]
  if (!given || paged || others.length > 0)
    throw new Error(`Teach the walk the arguments of ${from}.${field.name}.`)
  const call = (value: unknown) => `${field.name}(${argument.name}: ${literal(value)})`
  return given.map((value, i) => `${field.name}${i}: ${call(value)} { ${below} }`).join(' ')
}

/** In GraphQL, names of fields have no quotes. */
function literal(value: unknown): string {
  return JSON.stringify(value).replaceAll(/"(\w+)":/g, '$1:')
}

function collect(value: unknown, reached: Record<string, Set<string>>): void {
  if (value === null || typeof value !== 'object') return
  if (Array.isArray(value)) {
    for (const each of value) collect(each, reached)
    return
  }
  const { __typename: type, id } = value as { __typename?: string; id?: string }
  if (type !== undefined && id !== undefined) {
    reached[type] ??= new Set()
    reached[type].add(id)
  }
  for (const each of Object.values(value)) collect(each, reached)
}
