import { expect, test } from 'vitest'
import { codesOf } from '../support/codes.ts'
import { world } from '../support/world.ts'

const { gateway, sql, bob, eve, acme } = await world({ own: true })
const query = `{ organization(id: "${acme.id}") { roles { name permissions source } } }`

test('the roles of an organization are for holders of ac:read, as of now', async () => {
  const token = await bob.jwt()
  await sql(
    `insert into organization_roles (id, organization_id, role, permission, created_at)
       values ('1', $1, 'clerk', '{"ac":["read"]}', now()), ('2', $1, 'approver', '{nope', now())`,
    [acme.id],
  )
  const hold = (role: string) =>
    sql('update members set role = $2 where user_id = $1', [bob.id, role])
  for (const [role, sees] of [
    ['approver', false],
    ['clerk', true],
    ['ac:read', false],
    ['approver, member', true],
    ['', false],
  ] as const) {
    await hold(role)
    const answer = await gateway.graphql(query, { token })
    if (sees) expect(answer.errors).toEqual([])
    else expect(codesOf(answer)).toEqual({ 'organization.roles': 'FORBIDDEN' })
    if (sees)
      expect(answer.data.organization.roles).toContainEqual({
        name: 'approver',
        permissions: ['leave:approve'],
        source: 'BOTH',
      })
  }
  const stranger = await gateway.graphql(query, { token: await eve.jwt() })
  expect(stranger).toMatchObject({ data: { organization: null }, errors: [] })
})
