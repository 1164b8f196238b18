import { parseRoles } from '../domain/member.ts'
import type {
  DynamicRole,
  Grant,
  OrganizationRole,
  Permission,
  SubjectRoles,
} from '../domain/permission.ts'
import type { RoleDefinitions } from './definitions.ts'
import { mergeDynamicRoles } from './dynamic-roles.ts'

/**
 * What the subject may do, as Better Auth evaluates one (resource, action) pair: allowed when any one of the member's
 * roles grants it. Unknown roles grant nothing.
 *
 * Where a pair has several member rows, Better Auth asks whichever the database returns first; here only what every
 * row grants is granted, so that no answer depends on that order.
 */
export function resolvePermissions(
  subject: SubjectRoles,
  definitions: RoleDefinitions,
): Pick<Grant, 'active' | 'member' | 'roles' | 'permissions'> {
  const memberships = subject.memberships.map(parseRoles)
  const granted = memberships.map((roles) => grantedBy(roles, definitions))
  const common = (granted[0] ?? []).filter((permission) =>
    granted.every((permissions) => permissions.includes(permission)),
  )
  return {
    active: subject.active,
    member: memberships.length > 0,
    roles: [...new Set(memberships.flat())],
    permissions: subject.active ? common : [],
  }
}

/** Every role of the definitions or the rows, by name; a malformed row is a role that grants nothing. */
export function describeRoles(
  definitions: RoleDefinitions,
  rows: readonly DynamicRole[],
): readonly OrganizationRole[] {
  const merged = mergeDynamicRoles(definitions, rows)
  const dynamic = new Set(rows.map(({ role }) => role))
  return [...new Set([...definitions.keys(), ...dynamic])].sort().map((name) => ({
    name,
    permissions: grantedBy([name], merged),
    source: !dynamic.has(name) ? 'STATIC' : definitions.has(name) ? 'BOTH' : 'DYNAMIC',
  }))
}

function grantedBy(roles: readonly string[], definitions: RoleDefinitions): readonly Permission[] {
  const permissions = new Set<Permission>()
  for (const role of roles)
    for (const [resource, actions] of definitions.get(role) ?? [])
      for (const action of actions)
        if (canBeAsked(resource, action)) permissions.add(`${resource}:${action}`)
  return [...permissions].sort()
}

/**
 * A permission's text splits at its first colon, so a resource with a colon in its name cannot be named: granting
 * `a:b` + `c` would answer the question about `a` + `b:c`.
 */
function canBeAsked(resource: string, action: string): boolean {
  return resource !== '' && !resource.includes(':') && action !== ''
}
