import { describe, expect, test } from 'vitest'
import { apps, callers, keys, matrixWorld } from '../graph/matrix/world.ts'

/*
 * The Authorization API tells each kind of caller what the graph tells them, and no more: each question is put to both. Of
 * lists, whoever may not ask about permissions hears nothing, and else what the graph's own doors and edges show.
 */

const matrix = await matrixWorld({
  AUTHZEN: 'on',
  AUTHZEN_ORGANIZATION_TYPES: 'organization,leave',
})
const { gateway, ada, carol, eve, rita, root, acme, evil } = matrix

interface Credential {
  readonly token?: string | undefined
  readonly headers?: Readonly<Record<string, string>>
}

const credentials: readonly (readonly [string, () => Promise<Credential>])[] = [
  ...callers.map((name) => [name, async () => ({ token: await matrix.tokens[name]() })] as const),
  ...apps.map(
    (app) =>
      [
        `an app of ${app.of} with ${app.scopes}`,
        async () => ({ token: await matrix.tokenOf(app) }),
      ] as const,
  ),
  ...keys.map(
    (key) =>
      [
        `a key of ${key.of} with ${key.scopes}`,
        async () => ({ headers: { 'x-api-key': await matrix.keyOf(key) } }),
      ] as const,
  ),
]

const people = [...[ada, carol, eve, rita, root].map(({ id }) => id), 'nobody']
const organizations = [acme.id, evil.id, 'nowhere']
const actions = ['approve', 'request', 'nothing']

const statuses: Readonly<Record<string, number>> = { UNAUTHENTICATED: 401, FORBIDDEN: 403 }

/** What came of an operation: its data, or the status that stands for its first error. */
async function graph(query: string, credential: Credential) {
  const { data, errors } = await gateway.graphql(query, credential)
  const [error] = errors
  return error ? (statuses[error.extensions.code] ?? error.extensions.code) : data
}

async function authzen(path: string, body: unknown, { token, headers }: Credential) {
  const response = await gateway.fetch(
    new Request(`http://gateway/access/v1/${path}`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        ...headers,
      },
      body: JSON.stringify(body),
    }),
  )
  return response.status === 200 ? response.json() : response.status
}

const question = (userId: string, organizationId: string, action: string) => ({
  subject: { type: 'user', id: userId },
  action: { name: action },
  resource: { type: 'leave', id: organizationId },
})

const idsOf = (answer: { results: readonly { id: string }[] } | number) =>
  typeof answer === 'number' ? answer : answer.results.map(({ id }) => id)

describe.each(credentials)('%s', (_name, credentialOf) => {
  test('is told the decisions that can tells', async () => {
    const credential = await credentialOf()
    for (const userId of people)
      for (const organizationId of organizations)
        for (const action of actions) {
          const about = { userId, organizationId, action }
          const told = await graph(
            `{ can(permission: "leave:${action}", organizationId: "${organizationId}", userId: "${userId}") }`,
            credential,
          )
          const expected = typeof told === 'number' ? told : { decision: told.can }
          const asked = question(userId, organizationId, action)
          const answer = await authzen('evaluation', asked, credential)
          expect({ ...about, answer }).toEqual({ ...about, answer: expected })
          const several = await authzen('evaluations', { evaluations: [asked] }, credential)
          const expectedOfSeveral =
            typeof expected === 'number' ? expected : { evaluations: [expected] }
          expect({ ...about, several }).toEqual({ ...about, several: expectedOfSeveral })
        }
  })

  test('finds whom and where the graph shows them', async () => {
    const credential = await credentialOf()
    const mayAsk = await graph(
      `{ can(permission: "a:b", organizationId: "${acme.id}", userId: "${ada.id}") }`,
      credential,
    )
    const expected = async (query: string, read: (data: never) => readonly string[]) => {
      if (typeof mayAsk === 'number') return mayAsk
      const told = await graph(query, credential)
      return typeof told === 'number' ? told : read(told as never)
    }
    for (const action of actions) {
      for (const organizationId of organizations) {
        const found = await authzen(
          'search/subject',
          question('x', organizationId, action),
          credential,
        )
        const shown = await expected(
          `{ organization(id: "${organizationId}") { members(first: 100, filter: { permission: "leave:${action}" }) { nodes { user { id } } } } }`,
          (data: { organization: { members: { nodes: { user: { id: string } }[] } } | null }) =>
            data.organization?.members.nodes.map(({ user: { id } }) => id) ?? [],
        )
        expect({ organizationId, action, found: idsOf(found) }).toEqual({
          organizationId,
          action,
          found: shown,
        })
      }
      for (const userId of people) {
        const found = await authzen('search/resource', question(userId, 'x', action), credential)
        const shown = await expected(
          `{ user(id: "${userId}") { organizations(first: 100, filter: { permission: "leave:${action}" }) { nodes { id } } } }`,
          (data: { user: { organizations: { nodes: { id: string }[] } } | null }) =>
            data.user?.organizations.nodes.map(({ id }) => id) ?? [],
        )
        expect({ userId, action, found: idsOf(found) }).toEqual({ userId, action, found: shown })
      }
    }
  })

  test('finds the actions that can tells', async () => {
    const credential = await credentialOf()
    for (const userId of people)
      for (const organizationId of organizations) {
        const told = await graph(
          `{ ${actions.map((action) => `${action}: can(permission: "leave:${action}", organizationId: "${organizationId}", userId: "${userId}")`)} }`,
          credential,
        )
        const expected =
          typeof told === 'number'
            ? told
            : { results: actions.filter((name) => told[name]).map((name) => ({ name })) }
        const asked = { ...question(userId, organizationId, ''), action: undefined }
        const found = await authzen('search/action', asked, credential)
        expect({ userId, organizationId, found }).toEqual({
          userId,
          organizationId,
          found: expected,
        })
      }
  })
})

test('somebody is told something of everything, so that all is not the same because nothing works', async () => {
  const credential = { token: await ada.jwt() }
  expect(await authzen('evaluation', question(ada.id, acme.id, 'approve'), credential)).toEqual({
    decision: true,
  })
  const found = await authzen('search/subject', question('x', acme.id, 'approve'), credential)
  expect(idsOf(found)).toContain(ada.id)
  const where = await authzen('search/resource', question(ada.id, 'x', 'approve'), credential)
  expect(idsOf(where)).toContain(acme.id)
})
