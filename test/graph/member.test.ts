import { expect, test } from 'vitest'
import { world } from '../support/world.ts'

const { gateway, sql, ada, bob, carol, acme } = await world({ own: true })

async function memberOf(userId: string, fields: string) {
  const { data, errors } = await gateway.graphql(
    `{ organization(id: "${acme.id}") { member(userId: "${userId}") { ${fields} } } }`,
    { token: await ada.jwt() },
  )
  expect(errors).toEqual([])
  return data.organization.member
}

test('a member says what its row says, and what its roles allow', async () => {
  await sql("update members set created_at = '2026-01-31T09:30:00Z' where user_id = $1", [bob.id])
  const [row] = await sql<{ id: string }>('select id from members where user_id = $1', [bob.id])
  const fields = `id roles createdAt user { name } organization { slug } permissions
    may: can(permission: "leave:approve") mayNot: can(permission: "report:export")`
  expect(await memberOf(bob.id, fields)).toEqual({
    id: row?.id,
    roles: ['member', 'approver'],
    createdAt: '2026-01-31T09:30:00.000Z',
    user: { name: 'Bob' },
    organization: { slug: 'acme' },
    permissions: expect.arrayContaining(['leave:approve', 'leave:request']),
    may: true,
    mayNot: false,
  })
})

test.each([
  [' member , approver ,', ['member', 'approver']],
  ['unknown', ['unknown']],
  ['', []],
])('the role column %j is the roles %j', async (role, roles) => {
  await sql('update members set role = $2 where user_id = $1', [carol.id, role])
  expect(await memberOf(carol.id, 'roles')).toEqual({ roles })
})

test.each([
  ['', 3],
  [' \t\n', 3],
  [' bob ', 1],
  ['b ob', 0],
])('a search for %j finds %i of three: blank is none, and it is trimmed', async (search, count) => {
  const { data, errors } = await gateway.graphql(
    `query ($filter: MemberFilter) { organization(id: "${acme.id}") { members(filter: $filter) { totalCount } } }`,
    { token: await ada.jwt(), variables: { filter: { search } } },
  )
  expect(errors).toEqual([])
  expect(data.organization.members.totalCount).toBe(count)
})
