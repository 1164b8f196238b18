import { describe, expect, test } from 'vitest'
import type { SubjectRoles } from '../../src/domain/permission.ts'
import {
  defaultRoleDefinitions,
  parseRoleDefinitions,
  type RoleDefinitions,
} from '../../src/permissions/definitions.ts'
import { mergeDynamicRoles } from '../../src/permissions/dynamic-roles.ts'
import { resolvePermissions } from '../../src/permissions/resolve.ts'
import vectors from './vectors.json' with { type: 'json' }

/** What is answered here where Better Auth fails with an error. */
const documented = new Map([
  [`custom owner {"constructor":["x"]}`, false],
  [`custom constructor {"leave":["request"]}`, false],
  [`custom constructor,member {"leave":["request"]}`, true],
  [
    `custom member {"leave":["request"]} [{"role":"bad","permission":"{\\"leave\\":\\"approve\\"}"}]`,
    true,
  ],
  [`custom member {"leave":["request"]} [{"role":"bad","permission":"{nope"}]`, true],
])

describe("Better Auth's own answers", () => {
  const definitions: Readonly<Record<string, RoleDefinitions>> = {
    default: parseRoleDefinitions({ roles: vectors.configs.default }),
    custom: parseRoleDefinitions({ roles: vectors.configs.custom }),
    partial: parseRoleDefinitions({ roles: vectors.configs.partial }),
  }
  const asked = vectors.cases.flatMap(({ config, role, permissions, dynamicRows, expected }) => {
    const pairs = Object.entries(permissions).flatMap(([resource, actions]) =>
      [...new Set<string>(actions)].map((action) => `${resource}:${action}`),
    )
    const onePair = pairs.length === 1 && Object.keys(permissions).length === 1
    const rows = dynamicRows === null ? '' : ` ${JSON.stringify(dynamicRows)}`
    const claim = `${config} ${role} ${JSON.stringify(permissions)}${rows}`
    return onePair ? [{ claim, config, role, pair: pairs[0] ?? '', dynamicRows, expected }] : []
  })

  test.each(asked)('$claim: $expected', ({ claim, config, role, pair, dynamicRows, expected }) => {
    // This configuration has no access control of its own, and then Better Auth reads no dynamic rows.
    const rows = config === 'default' ? [] : (dynamicRows ?? [])
    const held = mergeDynamicRoles(definitions[config] ?? new Map(), rows)
    const { permissions } = resolvePermissions(subject({ memberships: [role] }), held)
    const answer = typeof expected === 'boolean' ? expected : documented.get(claim)
    expect(permissions.includes(pair)).toBe(answer)
  })

  test('are asked for every case that is about one pair, errors included', () => {
    expect(asked).toHaveLength(113)
    const errors = asked.filter(({ expected }) => typeof expected === 'string')
    expect(errors.map(({ claim }) => claim)).toEqual([...documented.keys()])
  })

  test('are what the default definitions give', () => {
    for (const role of ['owner', 'admin', 'member'])
      expect(resolvePermissions(subject({ memberships: [role] }), defaultRoleDefinitions)).toEqual(
        resolvePermissions(subject({ memberships: [role] }), definitions.default ?? new Map()),
      )
  })
})

describe('resolvePermissions', () => {
  const definitions = parseRoleDefinitions({
    roles: {
      member: { leave: ['request'] },
      approver: { leave: ['approve', 'request'] },
      auditor: { report: ['read'], leave: [] },
    },
  })

  test('gathers what each role grants, sorted and without duplicates', () => {
    expect(
      resolvePermissions(
        subject({ memberships: ['auditor, member,approver,,member'] }),
        definitions,
      ),
    ).toEqual({
      active: true,
      member: true,
      roles: ['auditor', 'member', 'approver'],
      permissions: ['leave:approve', 'leave:request', 'report:read'],
    })
  })

  test('a person without a member row is no member and may do nothing', () => {
    expect(resolvePermissions(subject({ memberships: [] }), definitions)).toEqual({
      active: true,
      member: false,
      roles: [],
      permissions: [],
    })
  })

  test('an inactive member keeps the membership and loses every permission', () => {
    expect(
      resolvePermissions(subject({ active: false, memberships: ['member'] }), definitions),
    ).toEqual({ active: false, member: true, roles: ['member'], permissions: [] })
  })

  test.each([
    [['approver', 'member'], ['leave:request']],
    [['member', 'approver'], ['leave:request']],
    [['approver,auditor', 'auditor,member', 'auditor'], ['report:read']],
    [['approver', 'ghost'], []],
    [['approver', ''], []],
  ])('of several member rows %j only what each grants counts', (memberships, permissions) => {
    expect(resolvePermissions(subject({ memberships }), definitions).permissions).toEqual(
      permissions,
    )
  })

  test('several member rows show all their roles in stored order', () => {
    const memberships = ['approver,member', 'auditor', 'member']
    expect(resolvePermissions(subject({ memberships }), definitions).roles).toEqual([
      'approver',
      'member',
      'auditor',
    ])
  })

  test.each(['constructor', '__proto__', 'toString', 'hasOwnProperty', 'size', 'get'])(
    'a role named %s grants nothing unless it was defined',
    (role) => {
      const memberships = [role]
      expect(resolvePermissions(subject({ memberships }), definitions).permissions).toEqual([])
      const defined = new Map([[role, new Map([[role, ['call']]])]])
      expect(resolvePermissions(subject({ memberships }), defined).permissions).toEqual([
        `${role}:call`,
      ])
    },
  )

  test('a resource that no permission text can name leaks into no other', () => {
    const statements = { 'a:b': ['c'], a: ['x:y', ''], '': ['c'], ':': ['c'] }
    const odd = parseRoleDefinitions({ roles: { odd: statements } })
    expect(resolvePermissions(subject({ memberships: ['odd'] }), odd).permissions).toEqual([
      'a:x:y',
    ])
  })
})

describe('mergeDynamicRoles', () => {
  const definitions = parseRoleDefinitions({ roles: { member: { leave: ['request'] } } })
  const permissionsOf = (role: string, ...stored: readonly string[]) =>
    resolvePermissions(
      subject({ memberships: [role] }),
      mergeDynamicRoles(
        definitions,
        stored.map((permission) => ({ role, permission })),
      ),
    ).permissions

  test('adds to the static role of that name and to rows of the same name', () => {
    expect(
      permissionsOf('member', '{"leave":["approve"]}', '{"leave":["deny"],"report":["read"]}'),
    ).toEqual(['leave:approve', 'leave:deny', 'leave:request', 'report:read'])
  })

  test('changes nothing for other organizations', () => {
    permissionsOf('member', '{"leave":["approve"]}')
    expect(permissionsOf('member')).toEqual(['leave:request'])
  })

  test.each([
    '{',
    '',
    'null',
    '[]',
    '"leave:approve"',
    '{"leave":"approve"}',
    '{"leave":null}',
    '{"leave":["approve"],"report":[1]}',
    '{"leave":["approve"],"report":{"read":true}}',
  ])('ignores the whole of a malformed row: %s', (stored) => {
    expect(permissionsOf('member', stored, '{"report":["read"]}')).toEqual([
      'leave:request',
      'report:read',
    ])
  })

  test('a resource named like a prototype property is one only when the row says so', () => {
    expect(permissionsOf('odd', '{"constructor":["call"]}')).toEqual(['constructor:call'])
    expect(permissionsOf('odd', '{"__proto__":["call"]}')).toEqual([])
  })
})

function subject(changes: Partial<SubjectRoles>): SubjectRoles {
  return { userId: 'u', organizationId: 'o', active: true, memberships: [], ...changes }
}
