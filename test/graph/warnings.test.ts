import { expect, test } from 'vitest'
import { recordStatements } from '../support/sql-log.ts'
import { world } from '../support/world.ts'

const { gatewayWith, identity, services, ada, bob, acme } = await world({ own: true })
const gateway = gatewayWith({ DYNAMIC_ACCESS_CONTROL: 'off' })

async function ask(fields: string, token: string, at = gateway) {
  const response = await at.fetch(
    new Request('http://127.0.0.1/graphql', {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
      body: JSON.stringify({ query: `{ ${fields} }` }),
    }),
  )
  return (await response.json()) as {
    readonly data: unknown
    readonly errors?: unknown
    readonly extensions?: { readonly warnings?: readonly { readonly permission: string }[] }
  }
}

const told = async (fields: string, token: string) => {
  const { errors, extensions } = await ask(fields, token)
  expect(errors).toBeUndefined()
  return extensions?.warnings?.map(({ permission }) => permission) ?? []
}

const can = (permission: string, more = '') =>
  `can(permission: "${permission}", organizationId: "${acme.id}" ${more})`

test('a permission that no role defines is false with a warning, wherever it is asked for', async () => {
  const answer = await ask(can('leave:aprove'), await ada.jwt())
  expect(answer).toEqual({
    data: { can: false },
    extensions: {
      warnings: [
        {
          code: 'UNDEFINED_PERMISSION',
          message: 'No role defines the permission leave:aprove: nobody has it.',
          permission: 'leave:aprove',
        },
      ],
    },
  })
  const organization = (fields: string) => `organization(id: "${acme.id}") { ${fields} }`
  for (const fields of [
    `checkPermissions(checks: [{ permission: "leave:aprove", organizationId: "${acme.id}" }]) { allowed }`,
    organization('viewerCan(permission: "leave:aprove")'),
    organization(`member(userId: "${bob.id}") { can(permission: "leave:aprove") }`),
    organization('members(filter: { permission: "leave:aprove" }) { nodes { id } }'),
    'viewer { memberships(filter: { permission: "leave:aprove" }) { nodes { id } } }',
  ])
    expect(await told(fields, await ada.jwt()), fields).toEqual(['leave:aprove'])
  expect(await told(can('leave:aprove', `userId: "${ada.id}"`), await services.token())).toEqual([
    'leave:aprove',
  ])
  const logged = gateway.logged.filter((line) => line.includes('leave:aprove'))
  expect(logged).toHaveLength(1)
})

test('one that a role defines is not warned of, whoever has it', async () => {
  for (const person of [ada, bob])
    for (const permission of ['leave:approve', 'organization:delete', 'report:export'])
      expect(await told(can(permission), await person.jwt())).toEqual([])
})

test('nor is any where the database has roles as well, and none takes a statement more', async () => {
  const dynamic = gatewayWith({ DYNAMIC_ACCESS_CONTROL: 'on' })
  const token = await ada.jwt()
  expect(await ask(can('leave:aprove'), token, dynamic)).toEqual({ data: { can: false } })
  const taken = async (permission: string) => {
    const question = can(permission, 'consistency: FRESH')
    const statements = await recordStatements(identity.database.name, () => ask(question, token))
    return statements.length
  }
  expect(await taken('leave:aprove')).toBe(await taken('leave:approve'))
})

test('names are told of ten at once, and each one once', async () => {
  const many = Array.from({ length: 30 }, (_, i) => `c${i}: ${can(`no:such${i % 15}`)}`)
  expect(await told(many.join(' '), await ada.jwt())).toHaveLength(10)
})
