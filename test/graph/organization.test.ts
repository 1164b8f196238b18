import { expect, test } from 'vitest'
import { world } from '../support/world.ts'

const { gateway, ada, bob, acme } = await world()

test('a member sees everything of the organization, also the metadata', async () => {
  const answer = await gateway.graphql(
    `{ organization(id: "${acme.id}") { name slug logo metadata viewerMembership { roles } member(userId: "${bob.id}") { roles } } }`,
    { token: await ada.jwt() },
  )
  expect(answer.errors).toEqual([])
  expect(answer.data.organization).toEqual({
    name: 'Acme',
    slug: 'acme',
    logo: null,
    metadata: { plan: 'pro' },
    viewerMembership: { roles: ['owner'] },
    member: { roles: ['member', 'approver'] },
  })
})
