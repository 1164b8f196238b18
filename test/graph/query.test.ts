import { describe, expect, test } from 'vitest'
import { codesOf } from '../support/codes.ts'
import { recordStatements } from '../support/sql-log.ts'
import { world } from '../support/world.ts'

const { gateway, identity, services, ada, bob, eve, acme, evil } = await world()
const absent = 'absent'

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
