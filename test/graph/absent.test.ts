import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import pg from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { printOwnerSql } from '../../src/gateway.ts'
import { introspect, type Report } from '../../src/introspection/introspect.ts'
import { createProject, type Project } from '../introspection/project.ts'
import { codesOf } from '../support/codes.ts'
import { asSuperuser } from '../support/database.ts'
import type { GatewayUnderTest } from '../support/gateway.ts'
import { world } from '../support/world.ts'

/* Rows that an application marks instead of deleting them: here Carol, and Bob's membership of Acme. */

const { gateway: plain, gatewayWith, identity, services, sql, ...cast } = await world({ own: true })
const { ada, bob, carol, root, acme } = cast
const role = `absent_${randomBytes(6).toString('hex')}`
const rules = { User: { column: 'deleted_at' }, Member: { column: 'state', values: ['left'] } }
let project: Project
let report: Report
let gateway: GatewayUnderTest

beforeAll(async () => {
  await sql('alter table users add deleted_at timestamptz, add score int, add api_token text')
  await sql("alter table members add state text default 'here'")
  const team = await identity.betterAuth.auth.api.createTeam({
    body: { organizationId: acme.id, name: 'Blue' },
    headers: ada.headers,
  })
  for (const { id } of [ada, bob, carol])
    await identity.betterAuth.auth.api.addTeamMember({
      body: { teamId: team.id, userId: id },
      headers: ada.headers,
    })
  project = await createProject()
  report = await run(rules)
  await sql(printOwnerSql(project.layout(), { role, schema: 'public' }))
  await asSuperuser(`alter role ${role} password 'reader'`)
  const url = Object.assign(new URL(identity.ownerUrl), { username: role, password: 'reader' })
  gateway = gatewayWith({ DATABASE_URL: url.href, PRISMA_SCHEMA_FILE: project.schemaPath })
})

afterAll(async () => {
  await project.remove()
  await sql(`drop owned by ${role}`)
  await asSuperuser(`drop role ${role}`)
})

const everything = `query ($acme: ID!, $bob: ID!, $carol: ID!, $email: String!) {
  user(id: $carol) { id } userByEmail(email: $email) { id } usersByIds(ids: [$bob, $carol]) { id name }
  can(userId: $bob, organizationId: $acme, permission: "leave:approve", consistency: FRESH)
  checkPermissions(consistency: FRESH, checks: [
    { userId: $bob, organizationId: $acme, permission: "leave:approve" },
    { userId: $carol, organizationId: $acme, permission: "organization:read" }]) { allowed roles }
  organization(id: $acme) {
    members { totalCount nodes { roles user { name memberships { totalCount } } } }
    byName: members(orderBy: { field: USER_NAME }) { nodes { user { name } } }
    approvers: members(filter: { roles: ["approver"] }) { totalCount nodes { user { name } } }
    allowed: members(filter: { permission: "leave:approve" }) { totalCount nodes { user { name } } }
    found: members(filter: { search: "carol" }) { totalCount nodes { user { name } } }
    these: members(filter: { userIds: [$bob, $carol] }) { totalCount nodes { user { name } } }
    bob: member(userId: $bob) { id } carol: member(userId: $carol) { id }
    teams { nodes { members { totalCount nodes { user { name } } } } }
  }
}`
const lists = `{
  users { totalCount nodes { name organizations { totalCount } } }
  byName: users(orderBy: { field: NAME, direction: DESC }) { nodes { name } }
  found: users(filter: { search: "carol" }) { totalCount nodes { name } }
  recent: users(filter: { createdAfter: "2020-01-01T00:00:00Z", banned: false }) { totalCount }
  organizations { nodes { members(first: 2) { totalCount nodes { user { name } } pageInfo { hasNextPage } } } }
}`

async function answers({ graphql }: GatewayUnderTest) {
  const variables = { acme: acme.id, bob: bob.id, carol: carol.id, email: carol.email }
  const service = await services.token('identity:read identity:pii permissions:check')
  const callers = { ada: await ada.jwt(), bob: await bob.jwt(), root: await root.jwt(), service }
  const given: Record<string, unknown> = {}
  for (const [name, token] of Object.entries(callers))
    for (const [what, query] of Object.entries({ everything, lists })) {
      const answer = await graphql(query, { token, variables: query === lists ? {} : variables })
      given[`${name}, ${what}`] = { data: answer.data, codes: codesOf(answer) }
    }
  return given
}

test('everything is answered as if they had been deleted', async () => {
  const carols = await carol.jwt()
  const before = await answers(gateway)
  expect(before).toEqual(await answers(plain))
  await sql('update users set deleted_at = now() where id = $1', [carol.id])
  await sql("update members set state = 'left' where user_id = $1", [bob.id])
  const marked = await answers(gateway)
  expect(marked).not.toEqual(before)
  const viewer = await gateway.graphql('{ viewer { id } }', { token: carols })
  expect(codesOf(viewer)).toEqual({ viewer: 'UNAUTHENTICATED' })

  await sql('delete from users where id = $1', [carol.id])
  await sql('delete from members where user_id = $1', [bob.id])
  await sql('delete from team_members where user_id not in (select user_id from members)')
  expect(marked).toEqual(await answers(plain))
})

test('the triggers of the owner tell of a mark', async () => {
  const listener = new pg.Client(identity.ownerUrl)
  await listener.connect()
  await listener.query('listen identity_gateway_invalidate')
  const told = once(listener, 'notification')
  await sql('update users set deleted_at = now() where id = $1', [ada.id])
  expect(JSON.parse((await told)[0].payload)).toEqual({ users: [ada.id] })
  await listener.end()
})

test('what marks them is said, kept, and no column that was left out', () => {
  expect(report.absentBy).toEqual(['User.deleted_at', 'Member.state'])
  expect(report.leftOutColumns).toEqual(['User.score'])
  expect(project.layout().Member?.columns['absent when']).toEqual({
    name: 'state',
    type: 'text',
    absentWhen: ['left'],
  })
})

test.each([
  [{ User: { column: 'gone' } }, /User, absent when: the table "users" has no column "gone"/],
  [{ User: { column: 'api_token' } }, /the column "api_token" .* is a secret/],
  [
    { User: { column: 'deleted_at', values: ['x'] } },
    /is of type timestamptz, and is not compared/,
  ],
  [{ User: { column: 'score', values: [true] } }, /is of type number, and is not compared/],
  [{ Team: { column: 'name' } }, /Team/],
  [{ User: { column: 'score', values: [] } }, /values/],
])('a rule that cannot be kept is refused in a sentence: %j', async (wrong, sentence) => {
  await expect(run(wrong)).rejects.toThrow(sentence)
})

test.each([
  [{ column: 'score', values: [3, 4] }, [false, true, true]],
  [{ column: 'score' }, [false, false, true]],
  [{ column: 'vip', values: [false] }, [true, false, true]],
])('users by %j', async (rule, expected) => {
  await sql('alter table users add if not exists vip boolean')
  const people = [ada, bob, root]
  for (const [i, values] of [
    [3, true],
    [5, false],
    [null, null],
  ].entries())
    await sql('update users set score = $2, vip = $3, deleted_at = null where id = $1', [
      people[i]?.id,
      ...values,
    ])
  const other = await createProject()
  await run({ User: rule }, other)
  const own = gatewayWith({
    DATABASE_URL: identity.ownerUrl,
    PRISMA_SCHEMA_FILE: other.schemaPath,
  })
  const { data } = await own.graphql('query ($ids: [ID!]!) { usersByIds(ids: $ids) { id } }', {
    token: await services.token('identity:read'),
    variables: { ids: people.map(({ id }) => id) },
  })
  expect(data.usersByIds.map(Boolean)).toEqual(expected)
  await other.remove()
})

async function run(absent: unknown, into = project): Promise<Report> {
  const fieldsPath = join(dirname(into.schemaPath), 'fields.json')
  await writeFile(fieldsPath, JSON.stringify({ absent }))
  return introspect({
    databaseUrl: identity.ownerUrl,
    databaseSchema: 'public',
    schemaPath: into.schemaPath,
    fieldsPath,
  })
}
