import type { ExecutionResult } from 'graphql'
import type { Permission } from '../domain/permission.ts'

/** What is told beside an answer that may not be what its asker meant. */
export interface Warning {
  readonly code: 'UNDEFINED_PERMISSION'
  readonly message: string
  readonly permission: Permission
}

/** Nobody reads more at once. */
const MOST_TOLD = 10
/** Names that the log has told of, and then no more: clients choose them. */
const MOST_LOGGED = 1000

/** Tells clients of permissions that no role defines, as where one is misspelt, and the log once of each. */
export function createWarnings(log: { warn(what: object, message: string): void }) {
  const logged = new Set<Permission>()
  return (answer: ExecutionResult, undefinedPermissions: ReadonlySet<Permission>) => {
    if (undefinedPermissions.size === 0) return answer
    const told = [...undefinedPermissions].slice(0, MOST_TOLD)
    for (const permission of told) {
      if (logged.has(permission) || logged.size === MOST_LOGGED) continue
      logged.add(permission)
      log.warn({ permission }, 'A permission was asked for that no role defines.')
    }
    const warnings = told.map(
      (permission): Warning => ({
        code: 'UNDEFINED_PERMISSION',
        message: `No role defines the permission ${permission}: nobody has it.`,
        permission,
      }),
    )
    return { ...answer, extensions: { ...answer.extensions, warnings } }
  }
}
