import { expect, test } from 'vitest'
import { world } from '../support/world.ts'

const { gateway, identity, services, ada, acme } = await world({ own: true })
const everyScope = await services.token()

async function read(query: string, token: string) {
  const { data, errors } = await gateway.graphql(query, { token })
  expect(errors).toEqual([])
  return data
}

test('who signs up at Better Auth is seen by the very next request, each time', async () => {
  for (let i = 0; i < 5; i++) {
    const email = `newcomer-${i}@example.com`
    const query = `{ userByEmail(email: "${email}") { name } }`
    expect(await read(query, everyScope)).toEqual({ userByEmail: null })
    const person = await identity.signUp(`Newcomer ${i}`)
    expect(await read(query, everyScope)).toEqual({ userByEmail: { name: `Newcomer ${i}` } })
    const token = await person.jwt()
    expect(await read('{ viewer { id } }', token)).toEqual({ viewer: { id: person.id } })
  }
})

test('what Better Auth changes of a user is what the very next request reads', async () => {
  const person = await identity.signUp('Before')
  const token = await person.jwt()
  for (const name of ['After', 'Later', 'At last']) {
    await identity.betterAuth.auth.api.updateUser({ body: { name }, headers: person.headers })
    expect(await read('{ viewer { name } }', token)).toEqual({ viewer: { name } })
  }
})

test('one who was added sees the organization at once, and when removed no more', async () => {
  const { api } = identity.betterAuth.auth
  const person = await identity.signUp('Comes And Goes')
  const token = await person.jwt()
  const query = `{ organization(id: "${acme.id}") { name } user(id: "${ada.id}") { name } viewer { organizations { totalCount } } }`
  const outside = { organization: null, user: null, viewer: { organizations: { totalCount: 0 } } }
  const inside = {
    organization: { name: 'Acme' },
    user: { name: 'Ada' },
    viewer: { organizations: { totalCount: 1 } },
  }
  for (let i = 0; i < 3; i++) {
    expect(await read(query, token)).toEqual(outside)
    const memberIdOrEmail = await identity.addMember(acme, person)
    expect(await read(query, token)).toEqual(inside)
    await api.removeMember({
      body: { organizationId: acme.id, memberIdOrEmail },
      headers: ada.headers,
    })
  }
  expect(await read(query, token)).toEqual(outside)
})

test('an organization that was renamed or deleted is so in the very next request', async () => {
  const { api } = identity.betterAuth.auth
  const made = await identity.createOrganization(ada, 'Short Lived')
  const query = `{ organization(id: "${made.id}") { name } }`
  const token = await ada.jwt()
  expect(await read(query, token)).toEqual({ organization: { name: 'Short Lived' } })
  await api.updateOrganization({
    body: { organizationId: made.id, data: { name: 'Renamed' } },
    headers: ada.headers,
  })
  expect(await read(query, token)).toEqual({ organization: { name: 'Renamed' } })
  await api.deleteOrganization({ body: { organizationId: made.id }, headers: ada.headers })
  expect(await read(query, token)).toEqual({ organization: null })
})

test('roles are read by every request, and permissions by every FRESH one', async () => {
  const { api } = identity.betterAuth.auth
  const person = await identity.signUp('Promoted')
  const token = await person.jwt()
  const memberId = await identity.addMember(acme, person)
  const query = `{
    can(permission: "report:export", organizationId: "${acme.id}", consistency: FRESH)
    organization(id: "${acme.id}") {
      viewerCan(permission: "report:export", consistency: FRESH)
      viewerMembership { roles permissions(consistency: FRESH) } } }`
  for (const role of ['member', 'owner', 'member', 'admin'] as const) {
    await api.updateMemberRole({
      body: { organizationId: acme.id, memberId, role },
      headers: ada.headers,
    })
    const { can, organization } = await read(query, token)
    const { viewerCan, viewerMembership } = organization
    expect(viewerMembership.roles).toEqual([role])
    expect([can, viewerCan]).toEqual([role === 'owner', role === 'owner'])
    expect(viewerMembership.permissions.includes('leave:approve')).toBe(role !== 'member')
  }
})

test('a role that is kept in the database is what FRESH reads of it', async () => {
  const { api } = identity.betterAuth.auth
  const { headers } = ada
  const organizationId = acme.id
  const person = await identity.signUp('Clerk')
  const token = await person.jwt()
  const query = `{ can(permission: "leave:approve", organizationId: "${acme.id}", consistency: FRESH) }`
  const body = { organizationId, role: 'clerk', permission: { leave: ['request'] } }
  await api.createOrgRole({ body, headers })
  await identity.addMember(acme, person, 'clerk')
  expect(await read(query, token)).toEqual({ can: false })
  await api.updateOrgRole({
    body: { organizationId, roleName: 'clerk', data: { permission: { leave: ['approve'] } } },
    headers,
  })
  expect(await read(query, token)).toEqual({ can: true })
})
