import { expect, test } from 'vitest'
import { world } from '../support/world.ts'

const { gateway, sql, ada } = await world({ own: true })

test('an account says what its row says, the oldest first, without a secret', async () => {
  await sql(
    `insert into accounts (id, user_id, account_id, provider_id, scope, access_token, created_at, updated_at)
     values ('linked', $1, '4711', 'google', 'openid,email', 'secret', '2126-01-31T09:30:00Z', '2126-02-01T09:30:00Z')`,
    [ada.id],
  )
  const { data, errors } = await gateway.graphql(
    '{ viewer { accounts { id providerId accountId scopes createdAt updatedAt } } }',
    { token: await ada.jwt() },
  )
  expect(errors).toEqual([])
  expect(data.viewer.accounts).toEqual([
    expect.objectContaining({ providerId: 'credential', accountId: ada.id, scopes: [] }),
    {
      id: 'linked',
      providerId: 'google',
      accountId: '4711',
      scopes: ['openid', 'email'],
      createdAt: '2126-01-31T09:30:00.000Z',
      updatedAt: '2126-02-01T09:30:00.000Z',
    },
  ])
})
