import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  defaultRoleDefinitions,
  parseRoleDefinitions,
  versionOf,
} from '../../src/permissions/definitions.ts'

describe('parseRoleDefinitions', () => {
  test('reads roles, resources and actions', () => {
    const definitions = parseRoleDefinitions({ roles: { approver: { leave: ['approve'] } } })
    expect(definitions.get('approver')?.get('leave')).toEqual(['approve'])
    expect(definitions.get('owner')).toBeUndefined()
  })

  test('names the path of every problem', () => {
    const malformed = { roles: { a: { leave: 'approve' }, b: null, c: { x: ['ok', 7] } }, role: {} }
    for (const path of ['roles.a.leave', 'roles.b', 'roles.c.x[1]', '"role"'])
      expect(() => parseRoleDefinitions(malformed)).toThrow(path)
  })

  test.each([[null], [[]], ['{}'], [{}], [{ roles: [] }], [{ roles: { a: [] } }]])(
    'refuses %j',
    (json) => {
      expect(() => parseRoleDefinitions(json)).toThrow('The role definitions are malformed')
    },
  )

  test('a name of the object prototype is there only when it was defined', () => {
    const definitions = parseRoleDefinitions(
      JSON.parse('{ "roles": { "toString": { "constructor": ["call"] }, "plain": {} } }'),
    )
    expect(definitions.get('toString')?.get('constructor')).toEqual(['call'])
    expect(definitions.get('valueOf')).toBeUndefined()
    expect(definitions.get('__proto__')).toBeUndefined()
    expect(definitions.get('plain')?.get('constructor')).toBeUndefined()
  })
})

describe('versionOf', () => {
  const names = fc.stringMatching(/^[a-z]{1,4}$/)
  const rolesOf = fc.dictionary(names, fc.dictionary(names, fc.array(names)))

  test('does not depend on the order of keys or actions', async () => {
    await fc.assert(
      fc.property(rolesOf, (roles) => {
        const reversed = Object.fromEntries(
          Object.entries(roles)
            .reverse()
            .map(([role, statements]) => [
              role,
              Object.fromEntries(
                Object.entries(statements)
                  .reverse()
                  .map(([resource, actions]) => [resource, [...actions].reverse()]),
              ),
            ]),
        )
        expect(versionOf(parseRoleDefinitions({ roles: reversed }), true, [])).toBe(
          versionOf(parseRoleDefinitions({ roles }), true, []),
        )
      }),
    )
  })

  test('changes with every role, resource, action and with dynamic roles', () => {
    const versions = [
      versionOf(defaultRoleDefinitions, false, []),
      versionOf(defaultRoleDefinitions, true, []),
      ...[{}, { a: {} }, { b: {} }, { a: { x: [] } }, { a: { x: ['y'] } }, { a: { y: ['x'] } }].map(
        (roles) => versionOf(parseRoleDefinitions({ roles }), false, []),
      ),
    ]
    expect(new Set(versions).size).toBe(versions.length)
  })

  test('is of one origin', () => {
    const versions = [
      [],
      ['public'],
      ['staging'],
      ['public', 'https://a'],
      ['public', 'https://b'],
    ].map((origin) => versionOf(defaultRoleDefinitions, false, origin))
    expect(new Set(versions).size).toBe(versions.length)
  })
})
