import { expect, test } from 'vitest'
import { world } from '../support/world.ts'

const READERS = 1000
const NAMES = 3

const { gateway, identity, services } = await world({
  own: true,
  environment: {
    LIMIT_CONCURRENCY: String(READERS),
    // So many at once wait for each other on a slow machine.
    REQUEST_TIMEOUT_MS: '25000',
    DATABASE_STATEMENT_TIMEOUT_MS: '20000',
  },
})
const everyScope = await services.token()

test('among a thousand concurrent readers, none sees a name older than their request', async () => {
  const { api } = identity.betterAuth.auth
  const person = await identity.signUp('0')
  const queries: [string, string][] = [
    ['{ viewer { name } }', await person.jwt()],
    [`{ viewer: user(id: "${person.id}") { name } }`, everyScope],
  ]
  let committed = 0
  let reads = 0
  let stale = 0
  const follow = async ([query, token]: [string, string]) => {
    while (committed < NAMES) {
      const then = committed
      const { data, errors } = await gateway.graphql(query, { token })
      // A machine that is busy with other tests may not keep up with so many; such an answer says no name at all.
      if (errors.length > 0) expect(errors).toMatchObject([{ extensions: { code: 'UNAVAILABLE' } }])
      else reads++
      if (errors.length === 0 && Number(data.viewer.name) < then) stale++
    }
  }
  // Connections are made before the rush, which keeps the event loop from hearing that they have been.
  await Promise.all(
    Array.from({ length: 25 }).flatMap(() =>
      queries.map(([query, token]) => gateway.graphql(query, { token })),
    ),
  )
  const readers = Array.from({ length: READERS }, (_, i) => follow(queries[i % 2] ?? ['', '']))
  const write = async () => {
    for (let name = 1; name <= NAMES; name++) {
      await api.updateUser({ body: { name: String(name) }, headers: person.headers })
      committed = name
    }
  }
  await Promise.all([write(), ...readers])
  expect({ stale, enough: reads >= 2 * READERS }).toEqual({ stale: 0, enough: true })
}, 240_000)
