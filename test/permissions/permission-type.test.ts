import { expect, test } from 'vitest'
import { printPermissions } from '../../src/permissions/permission-type.ts'

const printed = (roles: unknown) => printPermissions({ roles })

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
