import { parseRoleDefinitions } from './definitions.ts'

/**
 * TypeScript that declares `Permission` as the union of what the roles of an access control file grant.
 * @throws Error when it does not say what roles may do.
 */
export function printPermissions(accessControl: unknown): string {
  const roles = parseRoleDefinitions(accessControl).values()
  const permissions = [...roles].flatMap((statements) =>
    [...statements].flatMap(([resource, actions]) =>
      actions.map((action) => JSON.stringify(`${resource}:${action}`)),
    ),
  )
  const union = [...new Set(permissions)].sort().map((permission) => `\n  | ${permission}`)
  return `export type Permission =${union.join('') || ' never'}\n`
}
