import { beforeEach, describe, expect, test } from 'vitest'
import { codesOf } from '../support/codes.ts'
import type { Person } from '../support/identity.ts'
import { world } from '../support/world.ts'

/** Root administers the platform at Better Auth, through which people are banned. */
const { gateway, identity, services, root, ada: owner, acme } = await world({ own: true })
const api = () => identity.betterAuth.auth.api
const service = await services.token()
const { id: teamId } = await api().createTeam({
  body: { organizationId: acme.id, name: 'Team' },
  headers: owner.headers,
})

/** A new member of Acme, and in its team, for each test. */
let person: Person
let token: string
let memberId: string
let people = 0

beforeEach(async () => {
  person = await identity.signUp(`Person ${++people}`)
  token = await person.jwt()
  memberId = await identity.addMember(acme, person, 'admin')
  await api().addTeamMember({ body: { teamId, userId: person.id }, headers: owner.headers })
})

async function read(query: string, as: string = token) {
  const { data, errors } = await gateway.graphql(query, { token: as })
  expect(errors).toEqual([])
  return data
}

/** Every list in which Acme's others meet the person. */
const inLists = () => `{ organization(id: "${acme.id}") {
  members(filter: { userIds: ["${person.id}"] }) { totalCount nodes { roles user { id } } }
  byName: members(orderBy: { field: USER_NAME, direction: ASC } filter: { search: "${person.name}" }) { totalCount nodes { user { id } } }
  member(userId: "${person.id}") { roles }
  teams(last: 1) { nodes { members { nodes { user { id } } } } } } }`

async function isInLists(): Promise<boolean[]> {
  const { organization } = await read(inLists(), service)
  const { members, byName, member, teams } = organization
  const team: { user: { id: string } }[] = teams.nodes[0].members.nodes
  expect(members.totalCount).toBe(members.nodes.length)
  expect(byName.totalCount).toBe(byName.nodes.length)
  return [
    members.nodes.length === 1,
    byName.nodes.length === 1,
    member !== null,
    team.some(({ user }) => user.id === person.id),
  ]
}

const everywhere = [true, true, true, true]
const nowhere = [false, false, false, false]

/** What the person sees as a member and nobody else does. */
const inside = () => `{
  organization(id: "${acme.id}") { name
    roles { name } invitations { totalCount } viewerTeams { name } viewerMembership { roles }
    viewerPermissions(consistency: FRESH)
    teams(last: 1) { nodes { members { totalCount } } } }
  organizationBySlug(slug: "${acme.slug}") { id }
  organizationsByIds(ids: ["${acme.id}"]) { id }
  user(id: "${owner.id}") { email memberships { totalCount } organizations { totalCount } }
  userByEmail(email: "${owner.email}") { id }
  usersByIds(ids: ["${owner.id}"]) { id }
  viewer { memberships { totalCount } organizations { totalCount } }
  can(permission: "leave:approve", organizationId: "${acme.id}", consistency: FRESH) }`

test('one who was demoted is so for every read', async () => {
  const before = await read(inside())
  expect(before.can).toBe(true)
  expect(before.organization.viewerMembership.roles).toEqual(['admin'])
  await api().updateMemberRole({
    body: { organizationId: acme.id, memberId, role: 'member' },
    headers: owner.headers,
  })
  const answer = await gateway.graphql(inside(), { token })
  expect(codesOf(answer)).toEqual({ 'organization.invitations': 'FORBIDDEN' })
  expect(answer.data.can).toBe(false)
  expect(answer.data.organization).toMatchObject({ viewerMembership: { roles: ['member'] } })
  expect(answer.data.organization.viewerPermissions).not.toContain('leave:approve')
  const byRole = (role: string) =>
    `{ organization(id: "${acme.id}") { members(filter: { roles: ["${role}"], userIds: ["${person.id}"] }) { totalCount nodes { roles } } } }`
  const none = { organization: { members: { totalCount: 0, nodes: [] } } }
  const one = { organization: { members: { totalCount: 1, nodes: [{ roles: ['member'] }] } } }
  expect(await read(byRole('admin'), service)).toEqual(none)
  expect(await read(byRole('member'), service)).toEqual(one)
})

describe('one who is a member no more sees nothing of the organization and is in none of its lists, having', () => {
  const ways: Record<string, () => Promise<unknown>> = {
    'been removed': () =>
      api().removeMember({
        body: { organizationId: acme.id, memberIdOrEmail: memberId },
        headers: owner.headers,
      }),
    left: () =>
      api().leaveOrganization({ body: { organizationId: acme.id }, headers: person.headers }),
  }

  test.each(Object.keys(ways))('%s', async (way) => {
    expect((await read(inside())).viewer.organizations.totalCount).toBe(1)
    expect(await isInLists()).toEqual(everywhere)
    await ways[way]?.()
    expect(await read(inside())).toEqual({
      organization: null,
      organizationBySlug: null,
      organizationsByIds: [null],
      user: null,
      userByEmail: null,
      usersByIds: [null],
      viewer: { memberships: { totalCount: 0 }, organizations: { totalCount: 0 } },
      can: false,
    })
    expect((await isInLists()).slice(0, 3)).toEqual([false, false, false])
    const query = `{ user(id: "${person.id}") { name memberships { nodes { id } } } }`
    expect(await read(query, await owner.jwt())).toEqual({ user: null })
    expect((await read(query, service)).user.memberships.nodes).toEqual([])
  })
})

/** Every door, one request each, because a refusal at one must not be what is seen of another. */
const doors = () => [
  '{ viewer { id } }',
  '{ viewer { email sessions { totalCount } organizations { totalCount } } }',
  `{ user(id: "${owner.id}") { id } }`,
  `{ userByEmail(email: "${owner.email}") { id } }`,
  `{ usersByIds(ids: ["${owner.id}"]) { id } }`,
  `{ organization(id: "${acme.id}") { name viewerTeams { name } } }`,
  `{ organizationBySlug(slug: "${acme.slug}") { name } }`,
  `{ organizationsByIds(ids: ["${acme.id}"]) { name } }`,
  `{ can(permission: "leave:approve", organizationId: "${acme.id}", consistency: FRESH) }`,
]

async function expectShutOut(): Promise<void> {
  for (const query of doors()) {
    const { data, errors } = await gateway.graphql(query, { token })
    expect(errors.map(({ extensions }) => extensions.code)).toEqual(['UNAUTHENTICATED'])
    expect(JSON.stringify(data ?? {})).not.toMatch(/Acme|Owner|@|Team/)
  }
  const asked = `{ can(permission: "leave:approve", organizationId: "${acme.id}", userId: "${person.id}", consistency: FRESH) }`
  expect(await read(asked, service)).toEqual({ can: false })
}

async function expectLetIn(): Promise<void> {
  for (const query of doors()) await read(query)
  expect((await read(inside())).can).toBe(true)
}

const ban = (body: object = {}) =>
  api().banUser({ body: { userId: person.id, ...body }, headers: root.headers })
const setBan = (banned: boolean | null, expires: string | null) =>
  identity.sql(
    'update users set banned = $2, ban_expires = now() + $3::text::interval where id = $1',
    [person.id, banned, expires],
  )
const columns = () => `{ user(id: "${person.id}") { banned banReason banExpires } }`

describe('a ban shuts its subject out from the very next request on,', () => {
  beforeEach(expectLetIn)

  test('set through Better Auth, until it is lifted there', async () => {
    for (let i = 0; i < 2; i++) {
      await ban({ banReason: 'spam' })
      await expectShutOut()
      const { user } = await read(columns(), service)
      expect(user).toEqual({ banned: true, banReason: 'spam', banExpires: null })
      expect(await isInLists()).toEqual(everywhere)
      await api().unbanUser({ body: { userId: person.id }, headers: root.headers })
      await expectLetIn()
      expect((await read(columns(), service)).user.banned).toBe(false)
    }
  })

  test('set through Better Auth for a while', async () => {
    await ban({ banExpiresIn: 60 })
    await expectShutOut()
    await setBan(true, '-1 millisecond')
    await expectLetIn()
  })

  test('set by SQL', async () => {
    await setBan(true, null)
    await expectShutOut()
    await setBan(null, null)
    await expectLetIn()
    await setBan(true, '1 minute')
    await expectShutOut()
    await setBan(false, '1 minute')
    await expectLetIn()
  })

  test('and no longer than it lasts, by the clock of the database', async () => {
    await setBan(true, '400 milliseconds')
    await expectShutOut()
    await identity.sql('select pg_sleep(0.45)')
    await expectLetIn()
    expect((await read(columns(), service)).user.banned).toBe(true)
  })
})

describe('one whose account was deleted is nobody and nowhere from the very next request on,', () => {
  const ways: Record<string, () => Promise<unknown>> = {
    'by themselves': () =>
      api().deleteUser({ body: { password: person.password }, headers: person.headers }),
    'by an administrator': () =>
      api().removeUser({ body: { userId: person.id }, headers: root.headers }),
    'by SQL': () => identity.sql('delete from users where id = $1', [person.id]),
  }

  test.each(Object.keys(ways))('%s', async (way) => {
    const query = `{ user(id: "${person.id}") { name } userByEmail(email: "${person.email}") { name }
      usersByIds(ids: ["${person.id}"]) { name } users(filter: { search: "${person.name}" }) { totalCount nodes { name } } }`
    const { name } = person
    expect(await read(query, service)).toEqual({
      user: { name },
      userByEmail: { name },
      usersByIds: [{ name }],
      users: { totalCount: 1, nodes: [{ name }] },
    })
    await ways[way]?.()
    await expectShutOut()
    expect(await read(query, service)).toEqual({
      user: null,
      userByEmail: null,
      usersByIds: [null],
      users: { totalCount: 0, nodes: [] },
    })
    expect(await isInLists()).toEqual(nowhere)
  })
})

test('one who was made platform admin is one at once, and when that is taken back no more', async () => {
  const query = '{ users(first: 1) { totalCount } }'
  for (const role of ['admin', 'user', 'admin'] as const) {
    await api().setRole({ body: { userId: person.id, role }, headers: root.headers })
    const codes = codesOf(await gateway.graphql(query, { token }))
    expect(codes).toEqual(role === 'admin' ? {} : { users: 'FORBIDDEN' })
  }
})
