import { describe, expect, test } from 'vitest'
import { codesOf } from '../support/codes.ts'
import type { Person } from '../support/identity.ts'
import { world } from '../support/world.ts'

const { gateway, gatewayWith, identity, services, sql, ada, eve, root, acme } = await world({
  own: true,
})
const absent = 'absent'

const tokens = {
  anonymous: async () => undefined,
  user: () => ada.jwt(),
  'platform admin': () => root.jwt(),
  'identity:read': () => services.token('identity:read'),
}

/** What a door answers: the error's code, `shown`, or `null`. */
async function outcome(token: string, door: string): Promise<string> {
  const answer = await gateway.graphql(`{ door: ${door} }`, { token })
  const { data } = answer
  const code = codesOf(answer).door
  const value = Array.isArray(data?.door) ? data.door[0] : (data?.door ?? null)
  if (code) expect(value).toBeNull()
  return code ?? (value ? 'shown' : 'null')
}

test.each([
  ['anonymous', null],
  ['user', 'Ada'],
  ['platform admin', 'Root'],
  ['identity:read', null],
] as const)('the viewer of %s is %s', async (caller, name) => {
  const answer = await gateway.graphql('{ viewer { name } }', { token: await tokens[caller]() })
  expect(answer.data).toEqual({ viewer: name === null ? null : { name } })
  expect(answer.errors).toEqual([])
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
    'banned by SQL': ({ id }) => sql('update users set banned = true where id = $1', [id]),
    'banned for another hour': ({ id }) =>
      sql("update users set banned = true, ban_expires = now() + interval '1 hour' where id = $1", [
        id,
      ]),
    deleted: ({ id }) => sql('delete from users where id = $1', [id]),
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
    await sql(`update users set ${change} where id = $1`, [person.id])
    await identity.addMember(acme, person, 'admin')
    const token = await person.jwt()
    for (const [door, rest] of Object.entries(doors()))
      expect(await outcome(token, `${door} ${rest}`)).toBe('shown')
  })
})

describe('the table makes a platform admin, not the token:', () => {
  const setRole = (person: Person, role: string | null) =>
    sql('update users set role = $2 where id = $1', [person.id, role])
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
    const other = gatewayWith({ PLATFORM_ADMIN_ROLES: 'staff,boss' })
    const ask = (token: string) => other.graphql(`{ user(id: "${eve.id}") { id } }`, { token })
    expect((await ask(token)).data).toEqual({ user: { id: eve.id } })
    expect((await ask(await root.jwt())).data).toEqual({ user: null })
  })
})
