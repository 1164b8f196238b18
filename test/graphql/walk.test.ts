import {
  buildSchema,
  type GraphQLField,
  type GraphQLObjectType,
  type GraphQLOutputType,
  getNamedType,
  isObjectType,
  isRequiredArgument,
} from 'graphql'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { printGraph } from '../../src/app.ts'
import { type GatewayUnderTest, gatewayFor } from '../support/gateway.ts'
import { type Identity, type Person, startIdentity } from '../support/identity.ts'
import { type ServiceIssuer, startServiceIssuer } from '../support/tokens.ts'

const DEPTH = 8
/** Behind doors to single entities, whose neighbours the doors to lists have walked already. */
const NEAR = 3
const schema = buildSchema(printGraph())

let identity: Identity
let services: ServiceIssuer
let gateway: GatewayUnderTest
let people: Person[]
let root: Person

/**
 * Circles of organizations that overlap: person i is in organizations i to i + 2 of nine, so everybody is joined to
 * everybody by some path, but shares an organization with four people alone.
 */
beforeAll(async () => {
  identity = await startIdentity()
  services = await startServiceIssuer()
  people = []
  for (let i = 0; i < 9; i++) people.push(await identity.signUp(`Person ${i}`))
  for (const [i, person] of people.entries()) {
    const organization = await identity.createOrganization(person, `Organization ${i}`)
    for (const step of [1, 2]) {
      const joining = people[(i + step) % people.length]
      if (joining) await identity.addMember(organization, joining, 'approver')
    }
  }
  root = await identity.signUp('Root')
  await identity.sql("update users set role = 'admin' where id = $1", [root.id])
  gateway = gatewayFor(identity, {
    SERVICE_ISSUER: services.issuer,
    SERVICE_AUDIENCE: services.audience,
    SERVICE_JWKS_URL: services.jwksUrl,
  })
})

afterAll(async () => {
  await gateway.close()
  await services.stop()
  await identity.stop()
})

/** Ids by the name of their type. */
type Reached = Readonly<Record<string, ReadonlySet<string>>>

test.each([0, 4])('person %i reaches their own organizations and co-members alone', async (i) => {
  const person = people[i] as Person
  const reached = await walk(await person.jwt())
  expect(reached).toMatchObject(await circleOf(person))
  expect(sizesOf(reached)).toMatchObject({ Organization: 3, Member: 9, User: 5 })
})

test('a platform admin reaches every user, and no organization of theirs', async () => {
  const reached = await walk(await root.jwt())
  expect(sizesOf(reached)).toEqual({ User: 10 })
})

test('without a credential nothing is reached', async () => {
  expect(await walk(undefined)).toEqual({})
})

test('a service that may check permissions alone reaches nothing', async () => {
  expect(await walk(await services.token('permissions:check'))).toEqual({})
})

test('a service that may read reaches everything, so the walk would find a leak', async () => {
  const reached = await walk(await services.token('identity:read'))
  expect(sizesOf(reached)).toMatchObject({ Organization: 9, Member: 27, User: 10 })
})

/** What the database says this person may reach. */
async function circleOf({ id }: Person): Promise<Reached> {
  const rows = await identity.sql<{ id: string; organization_id: string; user_id: string }>(
    `select id, organization_id, user_id from members
     where organization_id in (select organization_id from members where user_id = $1)`,
    [id],
  )
  return {
    Member: new Set(rows.map((row) => row.id)),
    Organization: new Set(rows.map((row) => row.organization_id)),
    User: new Set(rows.map((row) => row.user_id)),
  }
}

function sizesOf(reached: Reached): Record<string, number> {
  return Object.fromEntries(Object.entries(reached).map(([type, ids]) => [type, ids.size]))
}

/** Through every door with every id there is, then along every edge; answers all ids that came back. */
async function walk(token: string | undefined): Promise<Reached> {
  const reached: Record<string, Set<string>> = {}
  for (const query of await doors()) {
    const { data, errors } = await gateway.graphql(query, { token })
    const codes = new Set(errors.map(({ extensions }) => extensions.code))
    for (const code of codes) expect(['FORBIDDEN', 'UNAUTHENTICATED']).toContain(code)
    collect(data, reached)
  }
  return reached
}

/** Every field of Query that leads to entities: lists of ids with all that lies below, single ids with what is near. */
async function doors(): Promise<string[]> {
  const query = schema.getQueryType() as GraphQLObjectType
  const values = await knownArguments()
  return Object.values(query.getFields()).flatMap((field) => {
    if (!isObjectType(getNamedType(field.type))) return []
    const depth = field.args.some(({ type }) => String(type) === 'ID!') ? NEAR : DEPTH
    return calls(field, `Query.${field.name}`, values).map(
      (call) => `{ ${call} ${select(field.type, depth - 1, values)} }`,
    )
  })
}

type Values = Readonly<Record<string, readonly unknown[]>>

/** For each required argument, what the walk asks with. */
async function knownArguments(): Promise<Values> {
  const users = await identity.sql<{ id: string; email: string }>('select id, email from users')
  const organizations = await identity.sql<{ id: string; slug: string }>(
    'select id, slug from organizations',
  )
  return {
    'Query.user.id': users.map(({ id }) => id),
    'Query.usersByIds.ids': [users.map(({ id }) => id)],
    'Query.userByEmail.email': users.map(({ email }) => email),
    'Query.organization.id': organizations.map(({ id }) => id),
    'Query.organizationsByIds.ids': [organizations.map(({ id }) => id)],
    'Query.organizationBySlug.slug': organizations.map(({ slug }) => slug),
    'Organization.member.userId': [people[1]?.id, people[5]?.id],
  }
}

/** The field with each value of its required argument, under aliases. */
function calls({ name, args }: GraphQLField<unknown, unknown>, path: string, values: Values) {
  const required = args.filter(isRequiredArgument)
  const [argument] = required
  if (!argument) return [name]
  const given = values[`${path}.${argument.name}`]
  if (!given || required.length > 1) throw new Error(`Teach the walk the arguments of ${path}.`)
  return given.map((value, i) => `${name}${i}: ${name}(${argument.name}: ${JSON.stringify(value)})`)
}

/**
 * The selection of every edge between entities, written out to the depth. `nodes` and `edges` of a connection hold the
 * same entities, so they take turns: one is followed, of the other only the ids are read.
 */
function select(type: GraphQLOutputType, depth: number, values: Values): string {
  const object = getNamedType(type) as GraphQLObjectType
  const parts = ['__typename', ...('id' in object.getFields() ? ['id'] : [])]
  for (const field of Object.values(object.getFields())) {
    const target = getNamedType(field.type)
    if (!isObjectType(target) || target.name === 'PageInfo') continue
    if (depth <= 0 && !isPage(object.name)) continue
    const followed = field.name !== (depth % 2 === 0 ? 'nodes' : 'edges')
    const below = select(field.type, followed ? depth - (isPage(target.name) ? 0 : 1) : 0, values)
    for (const call of calls(field, `${object.name}.${field.name}`, values))
      parts.push(`${call} ${below}`)
  }
  return `{ ${parts.join(' ')} }`
}

function isPage(type: string): boolean {
  return /(Connection|Edge)$/.test(type)
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
