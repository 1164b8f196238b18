import { z } from 'zod'
import type { StoredRole } from './hostile-world.ts'
import { isDynamic, type RoleSet } from './role-sets.ts'

/** What one membership rests on: its role column and the roles of its organization in the database. */
export interface Standing {
  readonly roles: string
  readonly rows: readonly StoredRole[]
}

const permission = z.record(z.string(), z.array(z.string()))

/**
 * The standing without what makes Better Auth fail: rows that are malformed, and roles that are found on every object
 * instead of among the roles. A Better Auth that is asked about this answers, and so must the gateway about the other.
 */
export function withoutBadParts({ roles, rows }: Standing, roleSet: RoleSet): Standing {
  const kept = isDynamic(roleSet) ? rows.filter(isWellFormed) : []
  const defined = new Set([...Object.keys(roleSet.roles ?? {}), ...kept.map(({ role }) => role)])
  const names = roles
    .split(',')
    .filter((name) => !isPropertyOfAll(name.trim()) || defined.has(name.trim()))
  return { roles: names.join(','), rows: kept }
}

/** Whether every object has a property of this name. */
export function isPropertyOfAll(name: string): boolean {
  return name in Object.prototype
}

function isWellFormed(row: StoredRole): boolean {
  try {
    return permission.safeParse(JSON.parse(row.permission)).success
  } catch {
    return false
  }
}
