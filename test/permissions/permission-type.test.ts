import { expect, test } from 'vitest'
import { parseRoleDefinitions } from '../../src/permissions/definitions.ts'
import { printPermissionType } from '../../src/permissions/permission-type.ts'

const printed = (roles: unknown) => printPermissionType(parseRoleDefinitions({ roles }))

test('every permission of any role is declared once, sorted', () => {
  expect(
    printed({
      owner: { leave: ['request', 'approve'], 'a:b': ["it's"] },
      member: { leave: ['request'], nothing: [] },
    }),
  ).toBe(`export type Permission =
  | "a:b:it's"
  | "leave:approve"
  | "leave:request"
`)
})

test('where no role grants anything, there is no permission', () => {
  expect(printed({ member: {} })).toBe('export type Permission = never\n')
})
