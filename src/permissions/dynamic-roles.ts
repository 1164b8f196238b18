import { z } from 'zod'
import type { DynamicRole } from '../domain/permission.ts'
import type { RoleDefinitions, Statements } from './definitions.ts'

const permission = z.record(z.string(), z.array(z.string()))

/**
 * The definitions that hold in an organization with these dynamic roles. Rows add to the static role of the same name
 * and to each other. Better Auth refuses every check in an organization that has a malformed row; here such a row
 * grants nothing and the others decide.
 */
export function mergeDynamicRoles(
  definitions: RoleDefinitions,
  rows: readonly DynamicRole[],
): RoleDefinitions {
  if (rows.length === 0) return definitions
  const merged = new Map(definitions)
  for (const row of rows) {
    const statements = parseStatements(row.permission)
    if (statements) merged.set(row.role, union(merged.get(row.role), statements))
  }
  return merged
}

function parseStatements(stored: string): Statements | undefined {
  try {
    return new Map(Object.entries(permission.parse(JSON.parse(stored))))
  } catch {
    return undefined
  }
}

function union(first: Statements | undefined, second: Statements): Statements {
  const all = new Map(first)
  for (const [resource, actions] of second)
    all.set(resource, [...(all.get(resource) ?? []), ...actions])
  return all
}
