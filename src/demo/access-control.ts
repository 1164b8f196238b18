import { createAccessControl } from 'better-auth/plugins/access'
import {
  adminAc,
  defaultStatements,
  memberAc,
  ownerAc,
} from 'better-auth/plugins/organization/access'

/** Every action that exists: Better Auth's own on organizations, and those of two services that use this identity. */
export const statements = createAccessControl({
  ...defaultStatements,
  leave: ['request', 'approve'],
  report: ['read', 'export'],
})

/** Better Auth replaces its default roles by these, so the defaults are declared again. */
export const roles = {
  owner: statements.newRole({
    ...ownerAc.statements,
    leave: ['request', 'approve'],
    report: ['read', 'export'],
  }),
  admin: statements.newRole({
    ...adminAc.statements,
    leave: ['request', 'approve'],
    report: ['read'],
  }),
  member: statements.newRole({ ...memberAc.statements, leave: ['request'] }),
  approver: statements.newRole({ leave: ['approve'] }),
  auditor: statements.newRole({ report: ['read', 'export'] }),
  recruiter: statements.newRole({ member: ['create'], invitation: ['create', 'cancel'] }),
}

/** The same roles as plain data, as the gateway's ACCESS_CONTROL_FILE: Better Auth keeps them in code alone. */
export const accessControl = {
  roles: Object.fromEntries(
    Object.entries(roles).map(([name, role]): [string, Record<string, readonly string[]>] => [
      name,
      { ...role.statements },
    ]),
  ),
}

/** Better Auth's types know the roles above alone, though it takes the names of roles in the database as well. */
export function asRoles(names: readonly string[]): (keyof typeof roles)[] {
  return [...names] as (keyof typeof roles)[]
}
