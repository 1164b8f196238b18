import { beforeAll, describe, expect, test } from 'vitest'
import { FEW_ERRORS, FEW_TIMES } from '../../src/graph/refusals.ts'
import { COMPILED_AT } from '../../src/operation/engine.ts'
import { world } from '../support/world.ts'

/** That who sees what does not depend on it is asked of every field in matrix.test.ts. */

const { gateway, gatewayWith, identity, sql, ada, bob, acme } = await world({
  own: true,
  environment: { FEDERATION: 'on' },
})
const token = await ada.jwt()

beforeAll(async () => {
  await sql(
    `insert into users (id, name, email, email_verified, created_at, updated_at)
     select 'u' || i, 'User ' || i, 'u' || i || '@example.com', true, now(), now() from generate_series(1, 97) i`,
  )
  await sql(
    `insert into members (id, organization_id, user_id, role, created_at)
     select 'u' || i, $1, 'u' || i, 'member', now() + i * interval '1 s' from generate_series(1, 97) i`,
    [acme.id],
  )
})

async function usersOf(fields: string) {
  const query = `{ organization(id: "${acme.id}") { ${fields} } }`
  const { data, errors } = await gateway.graphql(query, { token })
  return { users: data.organization.all.nodes.map(({ user }: { user: unknown }) => user), errors }
}

interface Told {
  readonly extensions: { readonly code: string; readonly count?: number }
}

const PERSONAL = 'all: members(first: 100) { nodes { user { id banned emailVerified } } }'
const byPath = (errors: readonly object[]) =>
  errors.map((error) => {
    const { path, message, extensions } = error as {
      path: readonly unknown[]
      message: string
      extensions: { code: string; count?: number }
    }
    return { path: path.join('.'), message, code: extensions.code, count: extensions.count }
  })

describe('a field that is refused for entries of a list', () => {
  // Once more than it takes to be compiled.
  test.each(Array.from({ length: COMPILED_AT + 1 }, (_, time) => time))(
    'is told once when they are many, with a count and where the first is (time %i)',
    async () => {
      const { users, errors } = await usersOf(PERSONAL)
      const others = users.filter(({ id }: { id: string }) => id !== ada.id)
      expect(others.length).toBeGreaterThan(1)
      for (const { banned, emailVerified } of others)
        expect({ banned, emailVerified }).toEqual({ banned: null, emailVerified: null })
      const own = users.find(({ id }: { id: string }) => id === ada.id)
      expect(own.emailVerified).toEqual(expect.any(Boolean))
      const first = users.findIndex(({ id }: { id: string }) => id !== ada.id)
      expect(byPath(errors)).toEqual(
        ['banned', 'emailVerified'].map((field) => ({
          path: `organization.all.nodes.${first}.user.${field}`,
          message: `The field ${field} of this user is not for this caller.`,
          code: 'FORBIDDEN',
          count: others.length,
        })),
      )
    },
  )

  test('is six errors for a page of 100 members with six fields that are not for the caller', async () => {
    const response = await gateway.fetch(
      new Request('http://gateway/graphql', {
        method: 'POST',
        headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
        body: JSON.stringify({
          query: `{ organization(id: "${acme.id}") { members(first: 100) { nodes { id roles user {
            id name email emailVerified twoFactorEnabled role banned banReason lastLoginMethod } } } } }`,
        }),
      }),
    )
    const text = await response.text()
    const { data, errors } = JSON.parse(text)
    expect(data.organization.members.nodes).toHaveLength(100)
    expect(errors).toHaveLength(6)
    expect(errors.map(({ extensions }: Told) => extensions.count)).toEqual(Array(6).fill(99))
    expect(JSON.stringify(errors).length).toBeLessThan(2000)
    expect(text.length).toBeLessThan(30_000)
  })

  test('is told for each place in the document', async () => {
    const { errors } = await usersOf(
      `${PERSONAL} again: members(first: 100) { nodes { user { banned } } }`,
    )
    expect(byPath(errors).map(({ path }) => path.replace(/\d+/, 'n'))).toEqual([
      'organization.all.nodes.n.user.banned',
      'organization.all.nodes.n.user.emailVerified',
      'organization.again.nodes.n.user.banned',
    ])
  })

  test.each([1, FEW_TIMES])('is told of each, without a count, when it is of %i', async (size) => {
    const query = `{ organization(id: "${acme.id}") { members(last: ${size}) { nodes { user { id banned } } } } }`
    const { errors } = await gateway.graphql(query, { token })
    expect(byPath(errors)).toEqual(
      Array.from({ length: size }, (_, index) => ({
        path: `organization.members.nodes.${index}.user.banned`,
        message: 'The field banned of this user is not for this caller.',
        code: 'FORBIDDEN',
        count: undefined,
      })),
    )
  })

  test('is told once of each place where there are many more, few of each', async () => {
    const places = FEW_ERRORS / FEW_TIMES + 3
    const fields = Array.from(
      { length: places },
      (_, nth) => `a${nth}: members(last: ${FEW_TIMES}) { nodes { user { id banned } } }`,
    )
    const query = `{ organization(id: "${acme.id}") { ${fields.join(' ')} } }`
    for (let time = 0; time <= COMPILED_AT; time++) {
      const { data, errors } = await gateway.graphql(query, { token })
      expect(JSON.stringify(data).match(/"banned":null/g)).toHaveLength(places * FEW_TIMES)
      const counts = errors.map(({ extensions }) => (extensions as { count?: number }).count)
      expect(counts.toSorted()).toEqual([
        ...Array.from({ length: places - FEW_ERRORS / FEW_TIMES }, () => FEW_TIMES),
        ...Array.from({ length: FEW_ERRORS }, () => undefined),
      ])
    }
  })
})

describe('so is', () => {
  const hundred = Array.from({ length: 100 }, (_, i) => `u${i}`)

  test('an argument that is refused in each entry of a list', async () => {
    const people = `usersByIds(ids: ${JSON.stringify(hundred)})`
    const { data, errors } = await gateway.graphql(
      `{ ${people} { id memberships(first: 0) { totalCount } } }`,
      { token },
    )
    const known = data.usersByIds.filter((user: unknown) => user)
    expect(known).toHaveLength(97)
    expect(known[96]).toEqual({ id: 'u97', memberships: null })
    expect(byPath(errors)).toEqual([
      {
        path: 'usersByIds.1.memberships',
        message: 'first and last are 1 to 100.',
        code: 'BAD_USER_INPUT',
        count: 97,
      },
    ])
  })

  test('one that is refused before anything is looked up', async () => {
    const { errors } = await gateway.graphql(
      `{ usersByIds(ids: ${JSON.stringify(hundred)}) { memberships { nodes { organization {
        member(userId: "") { id } } } } } }`,
      { token },
    )
    expect(errors.map(({ extensions }) => extensions)).toEqual([
      expect.objectContaining({ code: 'BAD_USER_INPUT', count: 97 }),
    ])
  })

  test('each entry of a list by keys', async () => {
    const gone = await identity.signUp('Gone')
    const token = await gone.jwt()
    await sql('delete from users where id = $1', [gone.id])
    const { data, errors } = await gateway.graphql(
      `{ usersByIds(ids: ${JSON.stringify(hundred)}) { id } }`,
      { token },
    )
    expect(data.usersByIds).toEqual(hundred.map(() => null))
    expect(byPath(errors)).toMatchObject([
      { path: 'usersByIds.0', code: 'UNAUTHENTICATED', count: 100 },
    ])
  })

  test('each reference of a router', async () => {
    const representations = hundred.map((id) => ({ __typename: 'User', id }))
    const { data, errors } = await gateway.graphql(
      'query ($all: [_Any!]!) { _entities(representations: $all) { __typename } }',
      { variables: { all: representations } },
    )
    expect(data._entities).toEqual(hundred.map(() => null))
    expect(byPath(errors)).toMatchObject([
      { path: '_entities.0', code: 'UNAUTHENTICATED', count: 100 },
    ])
  })

  test('what fails on our side, and the log is told of it once', async () => {
    const other = gatewayWith({})
    const all = `members(first: 100) { nodes { id permissions(consistency: FRESH) } }`
    const query = `{ organization(id: "${acme.id}") { id ${all} } }`
    await sql('alter table organization_roles rename to gone')
    try {
      const { data, errors } = await other.graphql(query, { token: await bob.jwt() })
      expect(data.organization.members.nodes).toHaveLength(100)
      expect(byPath(errors)).toMatchObject([
        { path: 'organization.members.nodes.0.permissions', code: 'INTERNAL', count: 100 },
      ])
      const lines = other.logged.filter((line) => line.includes('"level":"error"'))
      expect(lines).toHaveLength(1)
    } finally {
      await sql('alter table gone rename to organization_roles')
    }
  })
})
