import { readFileSync } from 'node:fs'
import { isIntrospectionType, isNonNullType, isObjectType } from 'graphql'
import { expect, test } from 'vitest'
import { wholeGraph } from '../support/whole-graph.ts'

const docs = readFileSync(new URL('../../docs/graph.md', import.meta.url), 'utf8')
const schema = wholeGraph()
const types = Object.values(schema.getTypeMap())
  .filter(isObjectType)
  .filter(
    (type) =>
      !isIntrospectionType(type) &&
      ![schema.getQueryType(), schema.getSubscriptionType()].includes(type),
  )

test('caches know every type by its id, but for parts of pages and those that docs/graph.md lists', () => {
  const without = types.filter((type) => !('id' in type.getFields())).map(({ name }) => name)
  // What graphcache takes to have no key by its name.
  const listed = without.filter((name) => !/^PageInfo$|(Connection|Edge)$/.test(name))
  const [, apollo = ''] = /typePolicies: \{\n(.*?)\n {2}\}/s.exec(docs) ?? []
  const [, urql = ''] = /keys: \{\n(.*?)\n {2}\}/s.exec(docs) ?? []
  const names = (block: string, value: string) =>
    [...block.matchAll(/^ *(\w+): (.*),$/gm)].map(([, name, given]) => {
      expect(given).toBe(value)
      return name
    })
  expect(names(apollo, '{ keyFields: false }')).toEqual(listed.toSorted())
  expect(names(urql, '() => null')).toEqual(listed.toSorted())
})

test('an id is never null, and of an entity alone', () => {
  for (const type of types) {
    const { id } = type.getFields()
    if (!id) continue
    expect(isNonNullType(id.type), type.name).toBe(true)
    expect(type.name).not.toMatch(/(Connection|Edge)$/)
  }
})
