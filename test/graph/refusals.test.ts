import { beforeAll, describe, expect, test } from 'vitest'
import { FEW_TIMES } from '../../src/domain/errors.ts'
import { COMPILED_AT } from '../../src/operation/engine.ts'
import { world } from '../support/world.ts'

/** That who sees what does not depend on it is asked of every field in matrix.test.ts. */

const { gateway, sql, ada, acme } = await world({ own: true })
const token = await ada.jwt()

beforeAll(async () => {
  await sql(
    `insert into users (id, name, email, email_verified, created_at, updated_at)
     select 'u' || i, 'User ' || i, 'u' || i || '@example.com', true, now(), now() from generate_series(1, 20) i`,
  )
  await sql(
    `insert into members (id, organization_id, user_id, role, created_at)
     select 'u' || i, $1, 'u' || i, 'member', now() + i * interval '1 s' from generate_series(1, 20) i`,
    [acme.id],
  )
})

async function usersOf(fields: string) {
  const query = `{ organization(id: "${acme.id}") { ${fields} } }`
  const { data, errors } = await gateway.graphql(query, { token })
  return { users: data.organization.all.nodes.map(({ user }: { user: unknown }) => user), errors }
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
})
