import { decodeJwt } from 'jose'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { roles } from '../../src/demo/access-control.ts'
import { type DemoPerson, seed } from '../../src/demo/seed.ts'
import { type Identity, startIdentity } from '../support/identity.ts'

let identity: Identity
let people: readonly DemoPerson[]

beforeAll(async () => {
  identity = await startIdentity({ tokenLifetime: '12h' })
  people = await seed(identity.betterAuth.auth)
})

afterAll(async () => {
  await identity.stop()
})

test('the first person belongs to several organizations, with several roles in one', () => {
  expect(people[0]?.organizations.length).toBeGreaterThan(2)
  expect(people[0]?.organizations.some((organization) => organization.roles.length > 1)).toBe(true)
})

test('exactly one person is platform admin, in the database as well', async () => {
  const admins = people.filter((person) => person.platformAdmin)
  expect(admins).toHaveLength(1)
  const rows = await identity.sql(`select id from users where role = 'admin'`)
  expect(rows).toEqual([{ id: admins[0]?.userId }])
})

test('somebody belongs to no organization', () => {
  expect(people.filter((person) => person.organizations.length === 0)).toHaveLength(1)
})

test('everybody is told exactly the memberships that the database holds', async () => {
  const rows = await identity.sql<{ user_id: string; id: string; slug: string; role: string }>(
    `select m.user_id, o.id, o.slug, m.role from members m join organizations o on o.id = m.organization_id`,
  )
  const told = people.flatMap(({ userId, organizations }) =>
    organizations.map(({ id, slug, roles }) => ({ user_id: userId, id, slug, role: `${roles}` })),
  )
  expect(told).toHaveLength(rows.length)
  expect(told).toEqual(expect.arrayContaining(rows))
})

test('there are static roles, dynamic roles, departments and open invitations', async () => {
  const used = new Set(people.flatMap((of) => of.organizations.flatMap(({ roles }) => roles)))
  expect([...used]).toEqual(expect.arrayContaining(Object.keys(roles)))
  const dynamic = await identity.sql<{ role: string }>('select role from organization_roles')
  expect([...used]).toEqual(expect.arrayContaining(dynamic.map(({ role }) => role)))
  expect(dynamic.length).toBeGreaterThan(0)
  const [counts] = await identity.sql(
    `select (select count(*)::int from organizations) as organizations,
            (select count(*)::int from team_members) as team_members,
            (select count(*)::int from invitations where status = 'pending') as invitations`,
  )
  expect(counts).toEqual({ organizations: 6, team_members: expect.any(Number), invitations: 3 })
})

test('passwords sign in, and give the person of that token', async () => {
  for (const person of [people[0], people.find((of) => of.platformAdmin), people.at(-1)]) {
    const { email = '', password = '', userId } = person ?? {}
    const { user } = await identity.betterAuth.auth.api.signInEmail({ body: { email, password } })
    expect(user.id).toBe(userId)
  }
})

test('every token is its own person’s, from the one key, for twelve hours', async () => {
  for (const { token, userId } of people) {
    const { sub, iss, iat = 0, exp = 0 } = decodeJwt(token)
    expect({ sub, iss, hours: (exp - iat) / 3600 }).toEqual({
      sub: userId,
      iss: identity.betterAuth.issuer,
      hours: 12,
    })
  }
  expect(await identity.sql('select count(*)::int from jwks')).toEqual([{ count: 1 }])
})
