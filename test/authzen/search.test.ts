import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { authzenWorld } from './world.ts'

/*
 * The search interop of AuthZEN: 60 subject, 18 resource and 120 action cases, from openid/authzen,
 * interop/authzen-search-demo. It has six people with a role and a department, and twenty records with an owner and a
 * department. A record is an organization here, and what somebody is to a record is a role in it. The rule, as its cases
 * show it: whoever owns a record may view, edit and delete it, people of its department may view it, a manager may view
 * every record, and edit those of their own department.
 */

interface Case {
  readonly request: Readonly<Record<string, unknown>>
  readonly expected: { readonly results: readonly object[] }
}

const read = (name: string) =>
  JSON.parse(readFileSync(new URL(`search/${name}.json`, import.meta.url), 'utf8'))
const users: readonly { id: string; role: string; department: string }[] = read('users')
const records: readonly { id: number; department: string; owner: string }[] = read('records')

const of = await authzenWorld({
  owner: { record: ['view', 'edit', 'delete'] },
  colleague: { record: ['view'] },
  manager: { record: ['view'] },
  head: { record: ['edit'] },
})
await of.addUsers(...users.map(({ id }) => id))
for (const { id, department, owner } of records) {
  const rolesOf = (user: (typeof users)[number]) => [
    ...(user.id === owner ? ['owner'] : []),
    ...(user.department === department ? ['colleague'] : []),
    ...(user.role === 'manager' ? ['manager'] : []),
    ...(user.role === 'manager' && user.department === department ? ['head'] : []),
  ]
  const members = users.map((user) => [user.id, rolesOf(user)] as const)
  await of.addOrganization(
    String(id),
    Object.fromEntries(members.filter(([, roles]) => roles.length > 0)),
  )
}
const { ask } = await of.serve({ AUTHZEN_ORGANIZATION_TYPES: 'record' })

const inOrder = (results: readonly object[]) => results.map((one) => JSON.stringify(one)).sort()

describe.each([
  ['subject', 60],
  ['resource', 18],
  ['action', 120],
])('%s', (what, count) => {
  const cases: readonly Case[] = read(`search-${what}`).evaluation

  test(`has ${count} cases, and each is answered as expected`, async () => {
    expect(cases).toHaveLength(count)
    const path = `/access/v1/search/${what}`
    for (const { request, expected } of cases) {
      const { status, body } = await ask(path, { body: request })
      expect({ status, keys: Object.keys(body) }).toEqual({ status: 200, keys: ['results'] })
      expect(inOrder(body.results), JSON.stringify(request)).toEqual(inOrder(expected.results))
    }
  })

  test('what is found is permitted, and what is not found is not', async () => {
    const all = {
      subject: users.map(({ id }) => ({ type: 'user', id })),
      resource: records.map(({ id }) => ({ type: 'record', id: String(id) })),
      action: ['view', 'edit', 'delete'].map((name) => ({ name })),
    }[what] as readonly object[]
    for (const { request, expected } of cases.slice(0, 20)) {
      const evaluations = all.map((one) => ({ [what]: one }))
      const { [what]: _, ...defaults } = request
      const { body } = await ask('/access/v1/evaluations', { body: { ...defaults, evaluations } })
      const found = inOrder(expected.results)
      expect(body.evaluations).toEqual(
        all.map((one) => ({ decision: found.includes(JSON.stringify(one)) })),
      )
    }
  })
})
