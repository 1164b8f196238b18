import type { RoleDefinitions } from './definitions.ts'

/** TypeScript that declares `Permission` as the union of what these roles grant. */
export function printPermissionType(definitions: RoleDefinitions): string {
  const permissions = [...definitions.values()].flatMap((statements) =>
    [...statements].flatMap(([resource, actions]) =>
      actions.map((action) => JSON.stringify(`${resource}:${action}`)),
    ),
  )
  const union = [...new Set(permissions)].sort().map((permission) => `\n  | ${permission}`)
  return `export type Permission =${union.join('') || ' never'}\n`
}
