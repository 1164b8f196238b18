import { expect, test } from 'vitest'
import { world } from './world.ts'

const { gateway, identity, sql, ada, acme, services } = await world()
const own = await world({ own: true, environment: { FEDERATION: 'on' } })

test('people of the cast are who they are at Better Auth and at the gateway', async () => {
  const { data } = await gateway.graphql(
    '{ viewer { id name organizations { nodes { id members { nodes { user { name } roles } } } } } }',
    { token: await ada.jwt() },
  )
  expect(data.viewer).toEqual({
    id: ada.id,
    name: 'Ada',
    organizations: {
      nodes: [
        {
          id: acme.id,
          members: {
            nodes: [
              { user: { name: 'Ada' }, roles: ['owner'] },
              { user: { name: 'Bob' }, roles: ['member', 'approver'] },
              { user: { name: 'Carol' }, roles: ['member'] },
            ],
          },
        },
      ],
    },
  })
  const token = await services.token('identity:read')
  expect((await gateway.graphql('{ users { totalCount } }', { token })).data).toEqual({
    users: { totalCount: 8 },
  })
})

test('nobody writes into a world that is shared', async () => {
  const refused = /read-only transaction/
  await expect(sql("update users set name = 'Eva'")).rejects.toThrow(refused)
  await expect(
    identity.betterAuth.auth.api.updateUser({ body: { name: 'Eva' }, headers: ada.headers }),
  ).rejects.toThrow()
  const { data } = await gateway.graphql('{ viewer { name } }', { token: await ada.jwt() })
  expect(data).toEqual({ viewer: { name: 'Ada' } })
})

test('a world of one’s own is changed without the others noticing', async () => {
  await own.sql("update users set name = 'Eva' where id = $1", [own.ada.id])
  const name = async ({ gateway, ada }: Pick<typeof own, 'gateway' | 'ada'>) =>
    (await gateway.graphql('{ viewer { name } }', { token: await ada.jwt() })).data.viewer.name
  expect(await name(own)).toBe('Eva')
  expect(await name({ gateway, ada })).toBe('Ada')
  await own.identity.addMember(acme, await own.identity.signUp('Dan'))
})
