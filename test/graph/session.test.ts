import { expect, test } from 'vitest'
import { world } from '../support/world.ts'

const { gateway, identity, sql, ada, bob, root } = await world({ own: true })
const { api } = identity.betterAuth.auth

async function read(query: string, token: string) {
  const { data, errors } = await gateway.graphql(query, { token })
  expect(errors).toEqual([])
  return data
}

test('a session says what its row says, without the token', async () => {
  await sql(
    `update sessions set ip_address = '192.0.2.1', user_agent = 'Firefox', impersonated_by = $2,
       active_organization_id = 'anywhere', created_at = '2026-01-31T09:30:00Z',
       updated_at = '2026-02-01T09:30:00Z', expires_at = '2126-01-31T09:30:00Z' where user_id = $1`,
    [ada.id, root.id],
  )
  const [row] = await sql<{ id: string }>('select id from sessions where user_id = $1', [ada.id])
  const query = `{ viewer { sessions { totalCount nodes { id createdAt updatedAt expiresAt ipAddress userAgent
    activeOrganizationId impersonatedBy } } } }`
  expect((await read(query, await ada.jwt())).viewer.sessions).toEqual({
    totalCount: 1,
    nodes: [
      {
        id: row?.id,
        createdAt: '2026-01-31T09:30:00.000Z',
        updatedAt: '2026-02-01T09:30:00.000Z',
        expiresAt: '2126-01-31T09:30:00.000Z',
        ipAddress: '192.0.2.1',
        userAgent: 'Firefox',
        activeOrganizationId: 'anywhere',
        impersonatedBy: root.id,
      },
    ],
  })
})

test('one that has expired is in no list and is not counted', async () => {
  const query = '{ viewer { sessions { totalCount nodes { id } } } }'
  const token = await ada.jwt()
  expect((await read(query, token)).viewer.sessions.totalCount).toBe(1)
  await sql('update sessions set expires_at = now() where user_id = $1', [ada.id])
  expect((await read(query, token)).viewer.sessions).toEqual({ totalCount: 0, nodes: [] })
})

test('one that was revoked is in no list, and the others stay', async () => {
  const query = '{ viewer { sessions { totalCount nodes { id } } } }'
  const { email, password } = bob
  const token = await bob.jwt()
  await api.signInEmail({ body: { email, password } })
  const { nodes } = (await read(query, token)).viewer.sessions
  expect(nodes).toHaveLength(2)
  const rows = await sql<{ id: string; token: string }>(
    'select id, token from sessions where user_id = $1 order by created_at desc, id desc',
    [bob.id],
  )
  const [revoked, kept] = rows
  await api.revokeSession({ body: { token: revoked?.token ?? '' }, headers: bob.headers })
  const sessions = { totalCount: 1, nodes: [{ id: kept?.id }] }
  expect(await read(query, token)).toEqual({ viewer: { sessions } })
  await api.revokeUserSessions({ body: { userId: bob.id }, headers: root.headers })
  expect((await read(query, token)).viewer.sessions).toEqual({ totalCount: 0, nodes: [] })
})
