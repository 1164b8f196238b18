import { expect, test } from 'vitest'
import { accessControl, roles, statements } from '../../src/demo/access-control.ts'

test('the gateway is told exactly what Better Auth grants to each role', () => {
  const told = JSON.parse(JSON.stringify(accessControl)).roles
  expect(Object.keys(told)).toEqual(Object.keys(roles))
  for (const [name, role] of Object.entries(roles))
    for (const [resource, actions] of Object.entries(statements.statements))
      for (const action of actions)
        expect(
          told[name][resource]?.includes(action) ?? false,
          `${name} ${resource}:${action}`,
        ).toBe(role.authorize({ [resource]: [action] }).success)
})

test('an approver may approve leave but not request it, and a member the other way round', () => {
  expect(accessControl.roles.approver?.leave).toEqual(['approve'])
  expect(accessControl.roles.member?.leave).toEqual(['request'])
})
