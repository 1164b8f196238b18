import { expect, test } from 'vitest'
import { world } from '../support/world.ts'

const { gateway, identity, sql, ada, carol, ivy: invited, acme } = await world({ own: true })
const { api } = identity.betterAuth.auth

async function read(query: string, token: string) {
  const { data, errors } = await gateway.graphql(query, { token })
  expect(errors).toEqual([])
  return data
}

test('an invitation says what its row says', async () => {
  await sql(
    `insert into invitations (id, organization_id, email, role, status, team_id, expires_at, created_at, inviter_id)
     values ('i', $1, 'new@example.com', 'member,approver', 'pending', 't1,t2', '2126-01-31T09:30:00Z',
       '2026-01-31T09:30:00Z', $2)`,
    [acme.id, carol.id],
  )
  const query = `{ organization(id: "${acme.id}") { invitations { nodes { id email roles status teamIds
    organizationName organization { id } inviter { name } createdAt expiresAt } } } }`
  expect((await read(query, await ada.jwt())).organization.invitations.nodes).toEqual([
    {
      id: 'i',
      email: 'new@example.com',
      roles: ['member', 'approver'],
      status: 'PENDING',
      teamIds: ['t1', 't2'],
      organizationName: 'Acme',
      organization: { id: acme.id },
      inviter: { name: 'Carol' },
      createdAt: '2026-01-31T09:30:00.000Z',
      expiresAt: '2126-01-31T09:30:00.000Z',
    },
  ])
})

test('an invitation is where it belongs when it is made, and pending no more when it is withdrawn, declined or accepted', async () => {
  const { headers } = ada
  await sql('update users set email_verified = true where id = $1', [invited.id])
  const theirs = await invited.jwt()
  const received = '{ viewer { receivedInvitations { totalCount nodes { id organizationName } } } }'
  const ofAcme = (status: string) =>
    `{ organization(id: "${acme.id}") { invitations(status: ${status} last: 100) { nodes { id } } } }`
  const isOf = async (id: string, status: string) => {
    const { organization } = await read(ofAcme(status), await ada.jwt())
    return organization.invitations.nodes.some((node: { id: string }) => node.id === id)
  }
  const ways = {
    CANCELED: (invitationId: string) => api.cancelInvitation({ body: { invitationId }, headers }),
    REJECTED: (invitationId: string) =>
      api.rejectInvitation({ body: { invitationId }, headers: invited.headers }),
    ACCEPTED: (invitationId: string) =>
      api.acceptInvitation({ body: { invitationId }, headers: invited.headers }),
  }
  for (const [status, end] of Object.entries(ways)) {
    const none = { totalCount: 0, nodes: [] }
    expect((await read(received, theirs)).viewer.receivedInvitations).toEqual(none)
    const { id } = await api.createInvitation({
      body: { organizationId: acme.id, email: invited.email, role: 'member' },
      headers,
    })
    const one = { totalCount: 1, nodes: [{ id, organizationName: 'Acme' }] }
    expect((await read(received, theirs)).viewer.receivedInvitations).toEqual(one)
    expect([await isOf(id, 'PENDING'), await isOf(id, status)]).toEqual([true, false])
    await end(id)
    expect((await read(received, theirs)).viewer.receivedInvitations).toEqual(none)
    expect([await isOf(id, 'PENDING'), await isOf(id, status)]).toEqual([false, true])
  }
  const { organization } = await read(`{ organization(id: "${acme.id}") { name } }`, theirs)
  expect(organization).toEqual({ name: 'Acme' })
})
