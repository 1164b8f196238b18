import { isIntrospectionType, isObjectType } from 'graphql'
import { describe, expect, test } from 'vitest'
import { subscriptionTypes } from '../support/subscription-types.ts'
import { questionsOf, readRoute, typeAt } from './matrix/reader.ts'
import { routesOf } from './matrix/routes.ts'
import { type Outcome, ruleOfApp, ruleOfOrganizationKey, rules } from './matrix/rules.ts'
import { apps, callers, keys, matrixWorld } from './matrix/world.ts'

/**
 * The oracle of who sees what: every field of every type, on every route that leads to it, for every kind of caller
 * (matrix/rules.ts). Tests elsewhere leave to it what a caller is shown; a field or a kind that it does not name fails.
 */
const matrix = await matrixWorld({ FEDERATION: 'on' })
const { gateway, schema } = matrix

const ofSubscriptions = subscriptionTypes(schema)

test('every type has a route, and every field on every route has a rule', () => {
  const routes = Object.keys(routesOf(matrix))
  const types = Object.values(schema.getTypeMap()).filter(
    (type) => isObjectType(type) && !isIntrospectionType(type) && !ofSubscriptions.has(type),
  )
  const asked = routes.flatMap((route) =>
    questionsOf(schema, matrix, route).map(({ key }) => ({ route, key })),
  )
  const problems = [
    ...types.filter(({ name }) => !routes.includes(name)).map(({ name }) => `no route to ${name}`),
    ...asked
      .filter(({ route, key }) => !rules.get(route)?.has(key))
      .map(({ route, key }) => `no rule for ${route}.${key}`),
    ...[...rules].flatMap(([route, of]) =>
      [...of.keys()]
        .filter((key) => !asked.some((other) => other.route === route && other.key === key))
        .map((key) => `a rule for ${route}.${key}, which does not exist`),
    ),
  ]
  expect(problems).toEqual([])
})

test('a route leads to the type it is named after', () => {
  for (const [name, route] of Object.entries(routesOf(matrix)))
    if (schema.getType(name)) expect(typeAt(schema, route).name).toBe(name)
})

test('every field is shown to somebody, so that no rule holds because nothing works', () => {
  const hidden = Object.keys(routesOf(matrix)).flatMap((type) =>
    [...(rules.get(type) ?? [])]
      .filter(([field]) => schema.getType(type) && !field.includes('/'))
      .filter(([, rule]) => !Object.values(rule).some((outcome) => shown.includes(outcome)))
      .map(([field]) => `${type}.${field}`),
  )
  expect(hidden).toEqual([])
})

const shown: readonly Outcome[] = ['value', 'false']

describe.each(callers)('for %s', (caller) => {
  test.each([...rules.keys()])('%s is as the contract says', async (route) => {
    const token = await matrix.tokens[caller]()
    const seen = await readRoute(schema, matrix, route, (query) =>
      gateway.graphql(query, { token }),
    )
    const expected = [...(rules.get(route) ?? [])].map(([key, rule]) => [key, rule[caller]])
    expect(seen).toEqual(Object.fromEntries(expected))
  })
})

describe.each(apps)('for an app of $of with $scopes', (app) => {
  test.each([...rules.keys()])('%s is as the contract says', async (route) => {
    const token = await matrix.tokenOf(app)
    const seen = await readRoute(schema, matrix, route, (query) =>
      gateway.graphql(query, { token }),
    )
    const keys = [...(rules.get(route)?.keys() ?? [])]
    expect(seen).toEqual(Object.fromEntries(keys.map((key) => [key, ruleOfApp(route, key, app)])))
  })

  test('nothing is shown that the user would not be shown', () => {
    for (const [route, of] of rules)
      for (const [key, rule] of of)
        expect([rule[app.of], ...nothing]).toContain(ruleOfApp(route, key, app))
  })
})

describe.each(keys)('for a key of $of with $scopes', ({ of, scopes }) => {
  const ruleOf = (route: string, name: string) =>
    of === 'themself'
      ? ruleOfApp(route, name, { of, scopes })
      : ruleOfOrganizationKey(route, name, scopes)

  test.each([...rules.keys()])('%s is as the contract says', async (route) => {
    const headers = { 'x-api-key': await matrix.keyOf({ of, scopes }) }
    const seen = await readRoute(schema, matrix, route, (query) =>
      gateway.graphql(query, { headers }),
    )
    const names = [...(rules.get(route)?.keys() ?? [])]
    expect(seen).toEqual(Object.fromEntries(names.map((name) => [name, ruleOf(route, name)])))
  })

  test('nothing is shown that its user, or a service, would not be shown', () => {
    for (const [route, rulesOfRoute] of rules)
      for (const [name, rule] of rulesOfRoute)
        expect([rule[of === 'themself' ? of : scopes], ...nothing]).toContain(ruleOf(route, name))
  })
})

const nothing: readonly Outcome[] = ['unreached', 'FORBIDDEN', 'null', 'empty', 'false']
