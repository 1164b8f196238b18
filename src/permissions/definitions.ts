import { createHash } from 'node:crypto'
import { z } from 'zod'

/** The actions on each resource that one role grants. */
export type Statements = ReadonlyMap<string, readonly string[]>

/** Statements by role name. Maps, so that a name like `constructor` finds nothing unless it was defined. */
export type RoleDefinitions = ReadonlyMap<string, Statements>

const ofAdmins = {
  member: ['create', 'update', 'delete'],
  invitation: ['create', 'cancel'],
  team: ['create', 'update', 'delete'],
  ac: ['create', 'read', 'update', 'delete'],
}
/** What Better Auth's organization plug-in grants when it is given no roles of its own. */
export const defaultRoleDefinitions: RoleDefinitions = toRoleDefinitions({
  owner: { organization: ['update', 'delete'], ...ofAdmins },
  admin: { organization: ['update'], ...ofAdmins },
  member: { ac: ['read'] },
})

/** What an access control file says. */
export const accessControlFile = z.strictObject({
  roles: z.record(z.string(), z.record(z.string(), z.array(z.string()))),
})

/**
 * Reads `{ "roles": { "<role>": { "<resource>": ["<action>"] } } }`. These roles replace the default ones completely,
 * as Better Auth's `roles` option does.
 * @throws Error naming the path of every problem.
 */
export function parseRoleDefinitions(json: unknown): RoleDefinitions {
  const parsed = accessControlFile.safeParse(json)
  if (!parsed.success)
    throw new Error(`The role definitions are malformed: ${inOneLine(parsed.error)}.`)
  return toRoleDefinitions(parsed.data.roles)
}

const betterAuthRoles = z.record(
  z.string(),
  z.object({ statements: z.record(z.string(), z.array(z.string())) }),
)

/**
 * The content of an access control file, from what is given to Better Auth's organization plug-in as `roles`.
 * @throws Error naming the path of every problem.
 */
export function toAccessControl(roles: unknown): z.infer<typeof accessControlFile> {
  const parsed = betterAuthRoles.safeParse(roles)
  if (!parsed.success)
    throw new Error(`These are not roles of Better Auth: ${inOneLine(parsed.error)}.`)
  return {
    roles: Object.fromEntries(
      Object.entries(parsed.data).map(([name, { statements }]) => [name, statements]),
    ),
  }
}

/**
 * A short name for what these definitions grant, whatever the order of their keys, to the people of one Better Auth, who
 * are told apart by `origin`. Answers resolved under another version are not used, so a deployment that changes a role
 * needs no invalidation, and environments that share a Redis and a prefix share no answer.
 */
export function versionOf(
  definitions: RoleDefinitions,
  dynamic: boolean,
  origin: readonly string[],
): string {
  const roles = sortedEntries(definitions).map(([role, statements]) => [
    role,
    sortedEntries(statements).map(([resource, actions]) => [
      resource,
      [...new Set(actions)].sort(),
    ]),
  ])
  const told = JSON.stringify({ roles, dynamic, origin })
  return createHash('sha256').update(told).digest('hex').slice(0, 16)
}

export function inOneLine({ issues }: z.ZodError): string {
  return issues
    .map(({ path, message }) =>
      path.length > 0 ? `${z.core.toDotPath(path)}: ${message}` : message,
    )
    .join('; ')
}

function toRoleDefinitions(
  roles: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>>,
): RoleDefinitions {
  return new Map(
    Object.entries(roles).map(([role, statements]) => [role, new Map(Object.entries(statements))]),
  )
}

function sortedEntries<Value>(map: ReadonlyMap<string, Value>): [string, Value][] {
  return [...map].sort(([a], [b]) => (a < b ? -1 : 1))
}
