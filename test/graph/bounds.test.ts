import { beforeAll, describe, expect, test } from 'vitest'
import { indexedWords } from '../../src/layout/words.ts'
import { world } from '../support/world.ts'

/*
 * What clients are told of lists that are longer than one may be read. That no page is ever cut short by it is asked of
 * every list in test/postgres/lists.test.ts.
 */

const { gateway, services, sql } = await world({ own: true, environment: { LIMIT_ROWS: '3' } })
const token = await services.token()

beforeAll(async () => {
  // Without it, a search among so many is refused: test/postgres/search.test.ts.
  await sql(`create index on users using gin (${indexedWords('name')}, ${indexedWords('email')})`)
  await sql(
    `insert into organizations (id, name, slug, created_at)
     values ('large', 'Large', 'large', now()), ('small', 'Small', 'small', now())`,
  )
  await sql(
    `insert into users (id, name, email, email_verified, created_at, updated_at)
     select 'u' || i, 'User ' || i, 'u' || i || '@example.com', true, now(), now() from generate_series(1, 6) i`,
  )
  await sql(
    `insert into members (id, organization_id, user_id, role, created_at)
     select organization || i, organization, 'u' || i, case when i > 4 then 'owner' else 'member' end, now() + i * interval '1 s'
     from unnest(array['large', 'small']) organization, generate_series(1, case organization when 'large' then 6 else 3 end) i`,
  )
})

async function membersOf(organization: string, given: string, selected = 'nodes { id }') {
  const query = `{ organization(id: "${organization}") { members(${given}) { ${selected} } } }`
  const { data, errors } = await gateway.graphql(query, { token })
  return { ...data?.organization?.members, errors }
}

const BY_NAME = 'orderBy: { field: USER_NAME, direction: ASC }'
const ids = (...nodes: string[]) => nodes.map((id) => ({ id }))

describe('a length', () => {
  const count = 'totalCount totalCountIsExact'

  test.each([
    ['small', 'first: 1', 3, true],
    ['large', 'first: 1', 3, false],
    ['large', 'filter: { roles: ["owner"] }', 2, true],
    ['large', 'filter: { search: "user 5" }', 1, true],
    ['large', 'filter: { userIds: ["u1", "u6"] }', 2, true],
  ])('of %s, %s is %i, exactly: %s', async (organization, given, totalCount, totalCountIsExact) => {
    expect(await membersOf(organization, given, count)).toEqual({
      totalCount,
      totalCountIsExact,
      errors: [],
    })
  })

  test('and whether it is exact take one statement', async () => {
    const { totalCountIsExact } = await membersOf('large', 'first: 1', 'totalCountIsExact')
    expect(totalCountIsExact).toBe(false)
  })
})

describe('a page', () => {
  test.each([
    ['small', `first: 1 ${BY_NAME}`, ids('small1')],
    ['large', 'first: 6', ids('large1', 'large2', 'large3', 'large4', 'large5', 'large6')],
    ['large', 'last: 1', ids('large6')],
    ['large', 'filter: { roles: ["owner"] }', ids('large5', 'large6')],
    ['large', `filter: { roles: ["owner"] } ${BY_NAME}`, ids('large5', 'large6')],
    ['large', `filter: { search: "user 6" } ${BY_NAME}`, ids('large6')],
    ['large', 'filter: { search: "user 6" }', ids('large6')],
    ['large', 'first: 2 filter: { search: "user" }', ids('large1', 'large2')],
  ])('of %s, %s is found', async (organization, given, nodes) => {
    expect(await membersOf(organization, given)).toEqual({ nodes, errors: [] })
  })

  test.each([`first: 1 ${BY_NAME}`, 'first: 4 filter: { search: "user" }'])(
    'of large, %s is refused, and the refusal says what helps',
    async (given) => {
      const { errors } = await membersOf('large', given)
      expect(errors).toEqual([
        expect.objectContaining({
          message:
            'This page would take a look at more than 3 entries. Ask for fewer with filter, or in the order of CREATED_AT.',
          extensions: expect.objectContaining({ code: 'LIMIT_EXCEEDED' }),
        }),
      ])
    },
  )

  test('that is refused does not take those with it that others ask for at the same time', async () => {
    const [large, small] = await Promise.all([
      membersOf('large', `first: 2 ${BY_NAME}`),
      membersOf('small', `first: 2 ${BY_NAME}`),
    ])
    expect(large.errors).toHaveLength(1)
    expect(small).toEqual({ nodes: ids('small1', 'small2'), errors: [] })
  })
})
