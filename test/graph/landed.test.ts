import { readFileSync, writeFileSync } from 'node:fs'
import {
  type BreakingChange,
  BreakingChangeType,
  buildSchema,
  findBreakingChanges,
  type GraphQLSchema,
  printSchema,
} from 'graphql'
import { describe, expect, test } from 'vitest'
import { printForm } from '../../src/graph/sdl/form.ts'
import { wholeGraph } from '../support/whole-graph.ts'

/*
 * What breaks clients of the graph as it was landed is named in the changelog: docs/graph.md says how the graph changes.
 * With UPDATE_LANDED, as when a version is released, the present graph becomes the landed one.
 */

const inRepository = (path: string) => new URL(`../../${path}`, import.meta.url)
const read = (path: string) => readFileSync(inRepository(path), 'utf8')
const file = 'test/schema/landed.graphql'
if (process.env.UPDATE_LANDED) writeFileSync(inRepository(file), printForm(wholeGraph(), 'plain'))
const landed = buildSchema(read(file))
const unreleased = read('CHANGELOG.md')
  .split(/^## /m)
  .find((version) => version.startsWith('Unreleased\n'))

/** In backticks: `Type`, `Type.field`, `Type.VALUE`, or `*Connection.field` for all types of such a name. */
function namesIn(changelog: string): (name: string) => boolean {
  const written = [...changelog.matchAll(/`([\w*]+(?:\.\w+)?)`/g)].map(([, name = '']) => name)
  const patterns = written.map((name) => new RegExp(`^${name.replaceAll('*', '\\w*')}$`))
  return (name) => patterns.some((pattern) => pattern.test(name))
}

/** What has to be named of a change. */
function nameOf({ type, description }: BreakingChange): string {
  if (type === BreakingChangeType.VALUE_REMOVED_FROM_ENUM)
    return description.replace(/^(\w+) was removed from enum type (\w+)\.$/, '$2.$1')
  if (type === BreakingChangeType.TYPE_REMOVED_FROM_UNION)
    return description.replace(/^.* from union type (\w+)\.$/, '$1')
  if (type === BreakingChangeType.REQUIRED_INPUT_FIELD_ADDED)
    return description.replace(/^A required field (\w+) on input type (\w+) .*$/, '$2.$1')
  const [name = description] =
    /\w+\.\w+/.exec(description) ?? /\w+/.exec(description.replace('Standard scalar ', '')) ?? []
  return name
}

function unnamed(graph: GraphQLSchema, changelog: string): string[] {
  const isNamed = namesIn(changelog)
  return findBreakingChanges(landed, graph)
    .filter((change) => !isNamed(nameOf(change)))
    .map(({ description }) => description)
}

test('every change that breaks a client of the landed graph is named in the changelog', () => {
  expect(unnamed(wholeGraph(), unreleased ?? '')).toEqual([])
})

describe('a change is missed that is not named:', () => {
  const text = printSchema(landed).replaceAll(/\s*"{3}.*?"{3}/gs, '')
  test.each([
    ['a field that has gone', /slug: String!/, '', ['Organization.slug']],
    ['a field that may be null now', /slug: String!/, 'slug: String', ['Organization.slug']],
    [
      'a type that has gone, with what led to it',
      /type Account \{.*?\}|accounts: \[Account!\]/gs,
      '',
      ['Account', 'User.accounts'],
    ],
    ['a value that has gone', /REJECTED/, '', ['InvitationStatus.REJECTED']],
    [
      'an argument that is required now',
      /status: InvitationStatus\b(?!!)/,
      'status: InvitationStatus!',
      ['Organization.invitations'],
    ],
    [
      'a field of an input that is required now',
      /userIds: \[ID!\]/,
      'userIds: [ID!]!',
      ['MemberFilter.userIds'],
    ],
  ])('%s', (_, from, to, names) => {
    const changed = buildSchema(text.replace(from, to))
    const all = names.map((name) => `\`${name}\``)
    expect(unnamed(changed, all.join())).toEqual([])
    for (const name of all) expect(unnamed(changed, all.join().replace(name, ''))).toHaveLength(1)
  })
})
