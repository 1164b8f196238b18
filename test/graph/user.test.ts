import { describe, expect, test } from 'vitest'
import { codesOf } from '../support/codes.ts'
import { world } from '../support/world.ts'

const { gateway, identity, services, sql, ada, bob, root, acme } = await world({ own: true })
await identity.createOrganization(bob, 'Bobs')
await identity.createOrganization(root, 'Rooted')
const instant = '2026-01-31T09:30:00.000Z'
// Bob's ban has run out, so every column can be full.
await sql(
  `update users set image = 'i', username = 'bob', display_username = 'Bob!', phone_number = '+1',
     phone_number_verified = true, two_factor_enabled = false, is_anonymous = false, banned = true,
     ban_reason = 'spam', ban_expires = $2, last_login_method = 'google', created_at = $2, updated_at = $2 where id = $1`,
  [bob.id, instant],
)

describe('the fields of a user say what is stored, and those that are refused are null with FORBIDDEN:', () => {
  const open = { name: 'Bob', image: 'i' }
  const email = { email: 'bob@example.com' }
  const plain = {
    username: 'bob',
    displayUsername: 'Bob!',
    createdAt: instant,
    updatedAt: instant,
  }
  const personal = {
    emailVerified: false,
    phoneNumber: '+1',
    phoneNumberVerified: true,
    twoFactorEnabled: false,
    isAnonymous: false,
    role: 'user',
    banned: true,
    banReason: 'spam',
    banExpires: instant,
    lastLoginMethod: 'google',
  }
  const all = { ...open, ...email, ...plain, ...personal }
  const fields = Object.keys(all).join(' ')

  test('a person reads all of their own', async () => {
    const answer = await gateway.graphql(`{ viewer { ${fields} } }`, { token: await bob.jwt() })
    expect(answer).toMatchObject({ data: { viewer: all }, errors: [] })
  })

  test('a service with identity:pii alone reads what that scope is for, by e-mail address', async () => {
    const answer = await gateway.graphql(`{ userByEmail(email: "${bob.email}") { ${fields} } }`, {
      token: await services.token('identity:pii'),
    })
    const nothing = Object.fromEntries(Object.keys(plain).map((field) => [field, null]))
    expect(answer.data.userByEmail).toEqual({ ...open, ...email, ...personal, ...nothing })
    expect(codesOf(answer)).toEqual(
      Object.fromEntries(Object.keys(plain).map((field) => [`userByEmail.${field}`, 'FORBIDDEN'])),
    )
  })

  test('a co-member who is reached by edges is shown what members show one another', async () => {
    const answer = await gateway.graphql(
      `{ organization(id: "${acme.id}") { members(first: 2) { nodes { user { ${fields} } } } } }`,
      { token: await ada.jwt() },
    )
    const { nodes } = answer.data.organization.members
    expect(nodes[0].user).toMatchObject({ name: 'Ada', email: ada.email, role: 'user' })
    expect(nodes[1].user).toMatchObject({ ...open, ...email, username: null, phoneNumber: null })
    const hidden = Object.keys({ ...plain, ...personal })
    expect(codesOf(answer)).toEqual(
      Object.fromEntries(
        hidden.map((field) => [`organization.members.nodes.1.user.${field}`, 'FORBIDDEN']),
      ),
    )
  })
})

describe('edges from another user lead only to shared organizations:', () => {
  const query = (door: string) =>
    `{ user: ${door} { memberships { totalCount nodes { roles organization { name } } edges { node { id } } }
       organizations { totalCount nodes { name } edges { roles joinedAt node { name } } } } }`
  const cases: Record<string, { token: () => Promise<string>; names: string[] }> = {
    'Bob himself sees all': { token: () => bob.jwt(), names: ['Acme', 'Bobs'] },
    'Ada sees what they share': { token: () => ada.jwt(), names: ['Acme'] },
    'a service sees all': {
      token: () => services.token('identity:read'),
      names: ['Acme', 'Bobs'],
    },
  }

  test.each(Object.keys(cases))('%s', async (name) => {
    const { token, names } = cases[name] ?? { token: () => ada.jwt(), names: [] }
    const answer = await gateway.graphql(query(`user(id: "${bob.id}")`), { token: await token() })
    expect(answer.errors).toEqual([])
    const { memberships, organizations } = answer.data.user
    const named = names.map((name) => ({ name }))
    expect(memberships.nodes.map((node: { organization: object }) => node.organization)).toEqual(
      named,
    )
    expect(memberships.edges).toHaveLength(names.length)
    expect(memberships.totalCount).toBe(names.length)
    expect(organizations.nodes).toEqual(named)
    expect(organizations.edges.map((edge: { node: object }) => edge.node)).toEqual(named)
    expect(organizations.totalCount).toBe(names.length)
  })

  test('a platform admin who shares none is refused them, rather than told that there are none', async () => {
    const answer = await gateway.graphql(query(`user(id: "${bob.id}")`), {
      token: await root.jwt(),
    })
    expect(codesOf(answer)).toEqual({
      'user.memberships': 'FORBIDDEN',
      'user.organizations': 'FORBIDDEN',
    })
  })
})
