import {
  defaultRoleDefinitions,
  parseRoleDefinitions,
  type RoleDefinitions,
} from '../../permissions/definitions.ts'
import { Prisma } from '../../postgres/client.ts'
import type { Check, Examined, Finding } from '../finding.ts'

type Found = Omit<Finding, 'check'>

/** Whether the roles that are defined are those that members hold. */
export const checkAccessControl: Check = async (examined) => {
  const { accessControl } = examined.config.permissions
  const definitions = definitionsOf(accessControl)
  if ('level' in definitions) return [definitions]
  const defined = [...definitions.keys()]
  if (!examined.tables.has('Member') || !examined.tables.has('Organization')) return []
  const held = await rolesOf(examined, 'Member')
  const dynamic = examined.config.permissions.dynamic
    ? await rolesOf(examined, 'OrganizationRole')
    : []
  const where = accessControl === null ? "Better Auth's default roles" : 'ACCESS_CONTROL_FILE'
  if (held.length === 0) return [{ level: 'info', message: 'Nobody is a member of anything yet.' }]
  const unheld = defined.filter((role) => !held.includes(role))
  const undefinedRoles = held.filter((role) => !defined.includes(role) && !dynamic.includes(role))
  if (unheld.length === defined.length && !held.some((role) => dynamic.includes(role)))
    return [
      {
        level: 'error',
        message: `No member holds a role of ${where} (${list(defined)}), so nobody may do anything: members hold ${list(held)}; print the file with the command access-control.`,
      },
    ]
  return [
    ...unknown(undefinedRoles, where),
    ...(unheld.length > 0
      ? [{ level: 'info', message: `Roles that no member holds: ${list(unheld)}.` } as const]
      : []),
    { level: 'info', message: `Roles that are defined: ${list(defined)}.` },
  ]
}

function definitionsOf(accessControl: unknown): RoleDefinitions | Found {
  if (accessControl === null) return defaultRoleDefinitions
  try {
    return parseRoleDefinitions(accessControl)
  } catch (error) {
    const message = `ACCESS_CONTROL_FILE: ${error instanceof Error ? error.message : error}`
    return { level: 'error', message }
  }
}

function unknown(roles: readonly string[], where: string): readonly Found[] {
  if (roles.length === 0) return []
  return [
    {
      level: 'warning',
      message: `Members hold roles that ${where} does not define, which grant nothing: ${list(roles)}.`,
    },
  ]
}

/** Names of roles in a table, in alphabetical order. */
async function rolesOf({ database, tables }: Examined, model: 'Member' | 'OrganizationRole') {
  if (!tables.has(model)) return []
  const table = tables.as(model, 't')
  const rows = await database.read<{ readonly role: string }>(Prisma.sql`
    SELECT DISTINCT btrim(name, E' \\t\\n\\r') AS "role"
    FROM (SELECT DISTINCT ${table.column('role')}::text AS "names" FROM ${table.from}) AS stored,
      unnest(string_to_array(stored."names", ',')) AS name
    WHERE btrim(name, E' \\t\\n\\r') <> '' ORDER BY 1`)
  return rows.map(({ role }) => role)
}

const MOST_LISTED = 10

function list(roles: readonly string[]): string {
  const rest = roles.length - MOST_LISTED
  const named = roles.slice(0, MOST_LISTED).map((role) => JSON.stringify(role))
  return named.join(', ') + (rest > 0 ? ` and ${rest} more` : '')
}
