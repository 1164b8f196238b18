import {
  buildSchema,
  type GraphQLArgument,
  type GraphQLInputField,
  getNamedType,
  isEnumType,
  isInputObjectType,
  isInterfaceType,
  isIntrospectionType,
  isObjectType,
  isSpecifiedScalarType,
} from 'graphql'
import { describe, expect, test } from 'vitest'
import { createGateway, loadConfig, printGraph } from '../src/gateway.ts'
import { layout } from './support/layout.ts'

const schema = buildSchema(printGraph(layout))
const types = Object.values(schema.getTypeMap()).filter(
  (type) => !isIntrospectionType(type) && !isSpecifiedScalarType(type),
)
const config = loadConfig({
  DATABASE_URL: 'postgresql://nobody@127.0.0.1:1/nothing',
  AUTH_ISSUER: 'https://auth.example.com',
})

describe('the graph', () => {
  test('has no mutations, and subscriptions to changes alone', () => {
    expect(schema.getMutationType()).toBeUndefined()
    const subscriptions = Object.keys(schema.getSubscriptionType()?.getFields() ?? {})
    expect(subscriptions).toEqual(['accessChanged', 'organizationChanged', 'viewerChanged'])
  })

  test('describes every type, field, argument and value', () => {
    const undescribed = types.flatMap((type) => {
      const parts = [{ name: '', description: type.description }]
      if (isEnumType(type)) parts.push(...type.getValues().map(describedAs))
      if (isInputObjectType(type)) parts.push(...Object.values(type.getFields()).map(describedAs))
      if (isObjectType(type) || isInterfaceType(type))
        for (const field of Object.values(type.getFields())) {
          parts.push(describedAs(field))
          for (const { name, description } of field.args)
            parts.push(describedAs({ name: `${field.name}.${name}`, description }))
        }
      return parts.filter((part) => !part.description).map(({ name }) => `${type.name}.${name}`)
    })
    expect(undescribed).toEqual([])
  })

  test('gives an example of everything a client has to write in a certain form', () => {
    const inputs = types.flatMap((type): (GraphQLArgument | GraphQLInputField)[] => {
      if (isInputObjectType(type)) return Object.values(type.getFields())
      if (!isObjectType(type)) return []
      return Object.values(type.getFields()).flatMap(({ args }) => args)
    })
    const formed = inputs.filter(
      ({ name, type }) =>
        ['Permission', 'DateTime'].includes(getNamedType(type).name) ||
        ['after', 'before', 'search', 'slug', 'email', 'role', 'roles'].includes(name),
    )
    expect(formed.length).toBeGreaterThan(20)
    const withoutExample = formed
      .filter(({ description }) => !/[Ff]or example (the )?`/.test(description ?? ''))
      .map(({ name, description }) => `${name}: ${description}`)
    expect(withoutExample).toEqual([])
    for (const scalar of ['Permission', 'DateTime'])
      expect(schema.getType(scalar)?.description).toMatch(/for example `/)
  })

  test('has no field that could hold a secret', () => {
    const fields = types.flatMap((type) =>
      isObjectType(type) ? Object.keys(type.getFields()).map((name) => `${type.name}.${name}`) : [],
    )
    const secret = /password|token|secret|privatekey|backupcodes|verification/i
    // Whether there is one, and not which; and a place in what was told.
    expect(fields.filter((name) => secret.test(name))).toEqual([
      'AccessChange.resumeToken',
      'User.hasPassword',
    ])
  })
})

function describedAs({ name, description }: { name: string; description?: unknown }) {
  return { name, description: typeof description === 'string' ? description : null }
}

test.each([
  [[]],
  'owner',
  {},
  { roles: 'owner' },
  { roles: { owner: ['leave:approve'] } },
  { roles: { owner: { leave: 'approve' } } },
])('an access control file that holds %j is refused at start', (accessControl) => {
  const permissions = { ...config.permissions, accessControl }
  expect(() => createGateway({ ...config, permissions })).toThrow()
})

describe('a gateway without its database', () => {
  const post = (gateway: ReturnType<typeof createGateway>, query: string) =>
    gateway.fetch(
      new Request('http://gateway/graphql', {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ query }),
      }),
    )

  test('starts, is not ready, answers the anonymous, and closes', async () => {
    const gateway = createGateway({ ...config, logLevel: 'silent' })
    expect(await gateway.ready()).toBe(false)
    const answer = await post(gateway, '{ viewer { id } }')
    expect(await answer.json()).toEqual({ data: { viewer: null } })
    await gateway.close()
  })

  test('refuses introspection in production, and has no GraphiQL there', async () => {
    const production = loadConfig({
      DATABASE_URL: config.database.url,
      AUTH_ISSUER: config.auth.issuer.join(),
      NODE_ENV: 'production',
      LOG_LEVEL: 'silent',
    })
    const page = new Request('http://gateway/graphql', { headers: { accept: 'text/html' } })
    for (const [settings, shown] of [
      [production, false],
      [{ ...config, logLevel: 'silent' }, true],
    ] as const) {
      const gateway = createGateway(settings)
      const introspected = (await (
        await post(gateway, '{ __schema { queryType { name } } }')
      ).json()) as { data?: unknown }
      expect(Boolean(introspected.data)).toBe(shown)
      const type = (await gateway.fetch(page.clone())).headers.get('content-type') ?? ''
      expect(type.startsWith('text/html')).toBe(shown)
      await gateway.close()
    }
  })
})
