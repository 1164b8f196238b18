import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { codesOf } from '../support/codes.ts'
import { type GatewayUnderTest, gatewayFor } from '../support/gateway.ts'
import {
  type Identity,
  type Organization,
  type Person,
  startIdentity,
} from '../support/identity.ts'
import { recordStatements } from '../support/sql-log.ts'
import { type ServiceIssuer, startServiceIssuer } from '../support/tokens.ts'

let identity: Identity
let services: ServiceIssuer
let gateway: GatewayUnderTest
/** Ada and Bob share Acme; Bob is in Bobs alone; Eve is in Evil alone; Root administers the platform, from Rooted. */
let ada: Person
let bob: Person
let eve: Person
let root: Person
let acme: Organization
let evil: Organization

const absent = 'absent'
const instant = '2026-01-31T09:30:00.000Z'

beforeAll(async () => {
  identity = await startIdentity()
  services = await startServiceIssuer()
  ada = await identity.signUp('Ada')
  bob = await identity.signUp('Bob')
  eve = await identity.signUp('Eve')
  root = await identity.signUp('Root')
  acme = await identity.createOrganization(ada, 'Acme', { plan: 'pro' })
  await identity.createOrganization(bob, 'Bobs')
  evil = await identity.createOrganization(eve, 'Evil')
  await identity.createOrganization(root, 'Rooted')
  await identity.addMember(acme, bob, 'approver')
  await identity.sql("update users set role = 'user,admin' where id = $1", [root.id])
  // Bob's ban has run out, so every column can be full.
  await identity.sql(
    `update users set image = 'i', username = 'bob', display_username = 'Bob!', phone_number = '+1',
       phone_number_verified = true, two_factor_enabled = false, is_anonymous = false, banned = true,
       ban_reason = 'spam', ban_expires = $2, created_at = $2, updated_at = $2 where id = $1`,
    [bob.id, instant],
  )
  gateway = gatewayFor(identity, {
    SERVICE_ISSUER: services.issuer,
    SERVICE_AUDIENCE: services.audience,
    SERVICE_JWKS_URL: services.jwksUrl,
  })
})

afterAll(async () => {
  await gateway.close()
  await services.stop()
  await identity.stop()
})

const callers = {
  anonymous: async () => undefined,
  user: () => ada.jwt(),
  'platform admin': () => root.jwt(),
  'identity:read': () => services.token('identity:read'),
  'identity:pii': () => services.token('identity:pii'),
  'permissions:check': () => services.token('permissions:check'),
  'no scope': () => services.token(''),
} as const
type CallerName = keyof typeof callers

/** What a door answers: the error's code, `shown`, or `null`. */
type Outcome = 'shown' | 'null' | 'UNAUTHENTICATED' | 'FORBIDDEN'

async function outcome(token: string | undefined, door: string): Promise<Outcome> {
  const answer = await gateway.graphql(`{ door: ${door} }`, { token })
  const { data } = answer
  const code = codesOf(answer).door as Outcome | undefined
  const value = Array.isArray(data?.door) ? data.door[0] : (data?.door ?? null)
  if (code) expect(value).toBeNull()
  return code ?? (value ? 'shown' : 'null')
}

const nowhere = (outcome: Outcome): Outcome[] => [outcome, outcome, outcome, outcome]
const everyone: Outcome[] = ['shown', 'shown', 'shown', 'null']
const circle: Outcome[] = ['shown', 'shown', 'null', 'null']

describe('doors to users show a caller themself, a co-member, a stranger and an absent user:', () => {
  const people = () => [ada, bob, eve, { id: absent, email: 'absent@example.com' }]
  const byId: Record<CallerName, Outcome[]> = {
    anonymous: nowhere('UNAUTHENTICATED'),
    user: circle,
    'platform admin': everyone,
    'identity:read': everyone,
    'identity:pii': nowhere('FORBIDDEN'),
    'permissions:check': nowhere('FORBIDDEN'),
    'no scope': nowhere('FORBIDDEN'),
  }
  const byEmail: Record<CallerName, Outcome[]> = {
    ...byId,
    'identity:read': nowhere('FORBIDDEN'),
    'identity:pii': everyone,
  }
  const doors: [string, (person: { id: string; email: string }) => string, typeof byId][] = [
    ['user', ({ id }) => `user(id: "${id}") { id }`, byId],
    ['usersByIds', ({ id }) => `usersByIds(ids: ["${id}"]) { id }`, byId],
    ['userByEmail', ({ email }) => `userByEmail(email: "${email}") { id }`, byEmail],
    [
      'userByEmail, in capitals',
      ({ email }) => `userByEmail(email: "${email.toUpperCase()}") { id }`,
      byEmail,
    ],
  ]
  const cases = doors.flatMap(([name, door, expected]) =>
    Object.keys(callers).map((caller) => ({ name, door, expected, caller: caller as CallerName })),
  )

  test.each(cases)('$name for $caller', async ({ door, expected, caller }) => {
    const token = await callers[caller]()
    const outcomes = people().map((person) => outcome(token, door(person)))
    expect(await Promise.all(outcomes)).toEqual(expected[caller])
  })
})

describe('doors to organizations show one of the user’s, a foreign one and an absent one:', () => {
  const expected: Record<CallerName, Outcome[]> = {
    anonymous: nowhere('UNAUTHENTICATED').slice(1),
    user: ['shown', 'null', 'null'],
    'platform admin': ['null', 'null', 'null'],
    'identity:read': ['shown', 'shown', 'null'],
    'identity:pii': nowhere('FORBIDDEN').slice(1),
    'permissions:check': nowhere('FORBIDDEN').slice(1),
    'no scope': nowhere('FORBIDDEN').slice(1),
  }
  const doors: [string, (organization: { id: string; slug: string }) => string][] = [
    ['organization', ({ id }) => `organization(id: "${id}") { id }`],
    ['organizationsByIds', ({ id }) => `organizationsByIds(ids: ["${id}"]) { id }`],
    ['organizationBySlug', ({ slug }) => `organizationBySlug(slug: "${slug}") { id }`],
  ]
  const cases = doors.flatMap(([name, door]) =>
    Object.keys(callers).map((caller) => ({ name, door, caller: caller as CallerName })),
  )

  test.each(cases)('$name for $caller', async ({ door, caller }) => {
    const token = await callers[caller]()
    const organizations = [acme, evil, { id: absent, slug: absent }]
    const outcomes = organizations.map((organization) => outcome(token, door(organization)))
    expect(await Promise.all(outcomes)).toEqual(expected[caller])
  })
})

describe('lists of everything', () => {
  const expected: Record<CallerName, [users: Outcome, organizations: Outcome]> = {
    anonymous: ['UNAUTHENTICATED', 'UNAUTHENTICATED'],
    user: ['FORBIDDEN', 'FORBIDDEN'],
    'platform admin': ['shown', 'FORBIDDEN'],
    'identity:read': ['shown', 'shown'],
    'identity:pii': ['FORBIDDEN', 'FORBIDDEN'],
    'permissions:check': ['FORBIDDEN', 'FORBIDDEN'],
    'no scope': ['FORBIDDEN', 'FORBIDDEN'],
  }

  test.each(Object.keys(callers) as CallerName[])('for %s', async (caller) => {
    const token = await callers[caller]()
    const lists = ['users { totalCount }', 'organizations { totalCount }']
    const outcomes = await Promise.all(lists.map((list) => outcome(token, list)))
    expect(outcomes).toEqual(expected[caller])
  })
})

test.each([
  ['anonymous', null],
  ['user', 'Ada'],
  ['platform admin', 'Root'],
  ['identity:read', null],
] as const)('the viewer of %s is %s', async (caller, name) => {
  const answer = await gateway.graphql('{ viewer { name } }', { token: await callers[caller]() })
  expect(answer.data).toEqual({ viewer: name === null ? null : { name } })
  expect(answer.errors).toEqual([])
})

test('doors by ids keep the order, with null where there is nothing to see', async () => {
  const answer = await gateway.graphql(
    'query ($users: [ID!]!, $organizations: [ID!]!) { usersByIds(ids: $users) { name } organizationsByIds(ids: $organizations) { name } }',
    {
      token: await ada.jwt(),
      variables: {
        users: [bob.id, absent, ada.id, eve.id, bob.id],
        organizations: [evil.id, acme.id, absent, acme.id],
      },
    },
  )
  expect(answer.data).toEqual({
    usersByIds: [{ name: 'Bob' }, null, { name: 'Ada' }, null, { name: 'Bob' }],
    organizationsByIds: [null, { name: 'Acme' }, null, { name: 'Acme' }],
  })
  expect(answer.errors).toEqual([])
})

test('half a character in an id is in no id, and spoils nothing for the others', async () => {
  const answer = await gateway.graphql(
    'query ($ids: [ID!]!) { usersByIds(ids: $ids) { name } organizationsByIds(ids: $ids) { name } }',
    { token: await ada.jwt(), variables: { ids: ['\ud800', bob.id, '\udfff\ud800', acme.id] } },
  )
  expect(answer.data).toEqual({
    usersByIds: [null, { name: 'Bob' }, null, null],
    organizationsByIds: [null, null, null, { name: 'Acme' }],
  })
  expect(answer.errors).toEqual([])
})

test('one refused door leaves the others open', async () => {
  const answer = await gateway.graphql(
    `{ user(id: "${bob.id}") { name } userByEmail(email: "bob@example.com") { name } }`,
    { token: await services.token('identity:read') },
  )
  expect(answer.data).toEqual({ user: { name: 'Bob' }, userByEmail: null })
  expect(codesOf(answer)).toEqual({ userByEmail: 'FORBIDDEN' })
})

describe('what is denied looks absent and costs the same statements:', () => {
  const pairs: Record<string, () => readonly [denied: string, absent: string]> = {
    user: () => [`user(id: "${eve.id}") { name email }`, `user(id: "${absent}") { name email }`],
    usersByIds: () => [
      `usersByIds(ids: ["${bob.id}", "${eve.id}"]) { name }`,
      `usersByIds(ids: ["${bob.id}", "${absent}"]) { name }`,
    ],
    userByEmail: () => [
      `userByEmail(email: "${eve.email}") { name }`,
      'userByEmail(email: "absent@example.com") { name }',
    ],
    organization: () => [
      `organization(id: "${evil.id}") { name members { totalCount } }`,
      `organization(id: "${absent}") { name members { totalCount } }`,
    ],
    organizationsByIds: () => [
      `organizationsByIds(ids: ["${acme.id}", "${evil.id}"]) { name }`,
      `organizationsByIds(ids: ["${acme.id}", "${absent}"]) { name }`,
    ],
    organizationBySlug: () => [
      `organizationBySlug(slug: "${evil.slug}") { name }`,
      `organizationBySlug(slug: "${absent}") { name }`,
    ],
    'can about a stranger': () => [
      `can(permission: "leave:approve", organizationId: "${evil.id}", userId: "${eve.id}", consistency: FRESH)`,
      `can(permission: "leave:approve", organizationId: "${absent}", userId: "${absent}", consistency: FRESH)`,
    ],
    'can about oneself': () => [
      `can(permission: "leave:approve", organizationId: "${evil.id}", consistency: FRESH)`,
      `can(permission: "leave:approve", organizationId: "${absent}", consistency: FRESH)`,
    ],
    member: () => [
      `organization(id: "${acme.id}") { member(userId: "${eve.id}") { id } }`,
      `organization(id: "${acme.id}") { member(userId: "${absent}") { id } }`,
    ],
  }

  test.each(Object.keys(pairs))('%s', async (door) => {
    const token = await ada.jwt()
    const [denied, absent] = pairs[door]?.() ?? ['', '']
    expect(await observe(token, denied)).toEqual(await observe(token, absent))
  })

  async function observe(token: string, door: string) {
    let answer: unknown
    await gateway.graphql(`{ ${door} }`, { token })
    const statements = await recordStatements(identity.database.name, async () => {
      const { data, errors } = await gateway.graphql(`{ ${door} }`, { token })
      answer = { data, errors }
    })
    expect(statements.length).toBeGreaterThan(0)
    // Those of one moment run on several connections, in any order.
    return { answer, statements: statements.sort() }
  }
})

describe('fields of a user that are refused are null with FORBIDDEN, and the user lives:', () => {
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
  }
  const all = { ...open, ...email, ...plain, ...personal }
  const fields = Object.keys(all).join(' ')
  type Case = { token: () => Promise<string>; shown: object; door?: string }
  const read: Case = {
    token: () => services.token('identity:read'),
    shown: { ...open, ...plain },
  }
  const cases: Record<string, Case> = {
    themself: { token: () => bob.jwt(), shown: all },
    'a co-member': { token: () => ada.jwt(), shown: { ...open, ...email } },
    'a platform admin': { token: () => root.jwt(), shown: all },
    'identity:read': read,
    'identity:read and identity:pii': {
      token: () => services.token('identity:read identity:pii'),
      shown: all,
    },
    'identity:pii alone': {
      token: () => services.token('identity:pii'),
      shown: { ...open, ...email, ...personal },
      door: 'userByEmail(email: "bob@example.com")',
    },
  }

  test.each(Object.keys(cases))('for %s', async (caller) => {
    const { token, shown, door = `user(id: "${bob.id}")` } = cases[caller] ?? read
    const answer = await gateway.graphql(`{ user: ${door} { ${fields} } }`, {
      token: await token(),
    })
    const hidden = Object.keys(all).filter((field) => !(field in shown))
    expect(answer.data.user).toEqual({
      ...shown,
      ...Object.fromEntries(hidden.map((field) => [field, null])),
    })
    expect(codesOf(answer)).toEqual(
      Object.fromEntries(hidden.map((field) => [`user.${field}`, 'FORBIDDEN'])),
    )
  })

  test('the same for a co-member who is reached by edges', async () => {
    const answer = await gateway.graphql(
      `{ organization(id: "${acme.id}") { members { nodes { user { ${fields} } } } } }`,
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
    'Bob himself sees all': { token: () => bob.jwt(), names: ['Bobs', 'Acme'] },
    'Ada sees what they share': { token: () => ada.jwt(), names: ['Acme'] },
    'a platform admin sees what they share': { token: () => root.jwt(), names: [] },
    'a service sees all': {
      token: () => services.token('identity:read'),
      names: ['Bobs', 'Acme'],
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
})

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
    member: { roles: ['approver'] },
  })
})

test('fields about the viewer are null, false or empty for services', async () => {
  const answer = await gateway.graphql(
    `{ organization(id: "${acme.id}") { viewerMembership { id } viewerPermissions viewerCan(permission: "leave:approve") } }`,
    { token: await services.token() },
  )
  expect(answer).toMatchObject({
    errors: [],
    data: {
      organization: { viewerMembership: null, viewerPermissions: [], viewerCan: false },
    },
  })
})

describe('an account that is not alive is UNAUTHENTICATED at every door:', () => {
  const doors = () => ({
    viewer: '{ id }',
    user: `(id: "${ada.id}") { id }`,
    usersByIds: `(ids: ["${ada.id}", "${absent}"]) { id }`,
    userByEmail: `(email: "${ada.email}") { id }`,
    organization: `(id: "${acme.id}") { id }`,
    organizationsByIds: `(ids: ["${acme.id}"]) { id }`,
    organizationBySlug: `(slug: "${acme.slug}") { id }`,
    can: `(permission: "leave:approve", organizationId: "${acme.id}", consistency: FRESH)`,
  })

  const ends: Record<string, (person: Person) => Promise<unknown>> = {
    'banned by Better Auth': ({ id: userId }) =>
      identity.betterAuth.auth.api.banUser({ body: { userId }, headers: root.headers }),
    'banned by SQL': ({ id }) => identity.sql('update users set banned = true where id = $1', [id]),
    'banned for another hour': ({ id }) =>
      identity.sql(
        "update users set banned = true, ban_expires = now() + interval '1 hour' where id = $1",
        [id],
      ),
    deleted: ({ id }) => identity.sql('delete from users where id = $1', [id]),
  }

  test.each(Object.keys(ends))('%s', async (end) => {
    const person = await identity.signUp(`To be ${end}`)
    await identity.addMember(acme, person, 'admin')
    const token = await person.jwt()
    for (const [door, rest] of Object.entries(doors()))
      expect(await outcome(token, `${door} ${rest}`)).toBe('shown')
    await ends[end]?.(person)
    const lists = { users: '{ totalCount }', organizations: '{ totalCount }' }
    for (const [door, rest] of Object.entries({ ...doors(), ...lists })) {
      const answer = await gateway.graphql(`{ ${door} ${rest} }`, { token })
      const codes = Object.values(codesOf(answer))
      expect(new Set(codes), door).toEqual(new Set(['UNAUTHENTICATED']))
      expect(
        Object.values(answer.data ?? {})
          .flat()
          .every((value) => value === null),
      ).toBe(true)
    }
  })

  test.each([
    ['has run out', "banned = true, ban_expires = now() - interval '1 second'"],
    ['was lifted', "banned = false, ban_expires = now() + interval '1 hour'"],
    ['was never written', 'banned = null, role = null'],
  ])('but not when the ban %s', async (how, change) => {
    const person = await identity.signUp(`Whose ban ${how}`)
    await identity.sql(`update users set ${change} where id = $1`, [person.id])
    await identity.addMember(acme, person, 'admin')
    const token = await person.jwt()
    for (const [door, rest] of Object.entries(doors()))
      expect(await outcome(token, `${door} ${rest}`)).toBe('shown')
  })
})

describe('the table makes a platform admin, not the token:', () => {
  const setRole = (person: Person, role: string | null) =>
    identity.sql('update users set role = $2 where id = $1', [person.id, role])
  const seesEve = (token: string) => outcome(token, `user(id: "${eve.id}") { id }`)

  test('a token from before the role was taken sees no more', async () => {
    const person = await identity.signUp('Once Admin')
    await setRole(person, 'admin')
    const token = await person.jwt()
    expect(await seesEve(token)).toBe('shown')
    await setRole(person, 'user')
    expect(await seesEve(token)).toBe('null')
  })

  test('a token from before the role was given sees everyone', async () => {
    const person = await identity.signUp('Soon Admin')
    const token = await person.jwt()
    expect(await seesEve(token)).toBe('null')
    await setRole(person, 'support,admin')
    expect(await seesEve(token)).toBe('shown')
  })

  test.each(['administrator', 'Admin', 'user, admin', null])(
    'the role %j is none',
    async (role) => {
      const person = await identity.signUp(`Role ${role}`)
      await setRole(person, role)
      expect(await seesEve(await person.jwt())).toBe('null')
    },
  )

  test('PLATFORM_ADMIN_ROLES names the roles', async () => {
    const person = await identity.signUp('Staff')
    await setRole(person, 'staff')
    const token = await person.jwt()
    const other = gatewayFor(identity, { PLATFORM_ADMIN_ROLES: 'staff,boss' })
    const ask = (token: string) => other.graphql(`{ user(id: "${eve.id}") { id } }`, { token })
    expect((await ask(token)).data).toEqual({ user: { id: eve.id } })
    expect((await ask(await root.jwt())).data).toEqual({ user: null })
    await other.close()
  })
})
