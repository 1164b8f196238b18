import { beforeAll, expect, test } from 'vitest'
import { gatewayFor } from './gateway.ts'
import { findSecret } from './planted.ts'
import { world } from './world.ts'

const { identity, sql, ada, eve, acme } = await world({ own: true })

beforeAll(async () => {
  const { api } = identity.betterAuth.auth
  const { id: teamId } = await api.createTeam({
    body: { organizationId: acme.id, name: 'Ward' },
    headers: ada.headers,
  })
  await api.addTeamMember({
    body: { organizationId: acme.id, teamId, userId: ada.id },
    headers: ada.headers,
  })
})

test.each([
  ['accounts', 'password'],
  ['accounts', 'access_token'],
  ['accounts', 'refresh_token'],
  ['accounts', 'id_token'],
  ['sessions', 'token'],
  ['verifications', 'identifier'],
  ['verifications', 'value'],
  ['two_factors', 'secret'],
  ['two_factors', 'backup_codes'],
  ['jwks', 'private_key'],
  ['team_members', 'membership_key'],
])('every value of %s.%s is recognised', async (table, column) => {
  const rows = await sql<{ value: string }>(`select ${column} as value from ${table}`)
  expect(rows).not.toEqual([])
  for (const { value } of rows) expect(findSecret(`{"name":"${value}"}`)).not.toBeNull()
})

test('what is public is not taken for a secret', async () => {
  const [key] = await sql<{ public_key: string }>('select public_key from jwks')
  expect(findSecret(`${key?.public_key} ${ada.id} ${await ada.jwt()}`)).toBeNull()
})

test('people sign in and out with planted secrets as ever', async () => {
  const { api } = identity.betterAuth.auth
  const { email, password, headers } = ada
  const { user } = await api.signInEmail({ body: { email, password } })
  expect(user.id).toBe(ada.id)
  expect((await api.getSession({ headers }))?.user.id).toBe(ada.id)
})

test('an answer with a secret fails the test that asked', async () => {
  const gateway = gatewayFor(identity)
  const ask = async () => gateway.graphql('{ viewer { name } }', { token: await eve.jwt() })
  expect((await ask()).data).toEqual({ viewer: { name: 'Eve' } })
  await sql(
    'update users set name = (select token from sessions where user_id = $1 limit 1) where id = $1',
    [eve.id],
  )
  await expect(ask()).rejects.toThrow('An answer holds a secret')
  await expect(gateway.close()).rejects.toThrow('An answer holds a secret')
})

test('a log line with a secret fails the test, at the latest when the gateway closes', async () => {
  const gateway = gatewayFor(identity)
  const [row] = await sql<{ token: string }>('select token from sessions limit 1')
  const request = new Request(`http://gateway/${row?.token}`)
  await gateway.fetch(request).catch(() => undefined)
  await expect(gateway.close()).rejects.toThrow('A log line holds a secret')
})
