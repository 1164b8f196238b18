import { z } from 'zod'
import { type Explanation, explain } from '../domain/explanation.ts'
import { parseRoles } from '../domain/member.ts'
import type { DynamicRole } from '../domain/permission.ts'
import {
  accessControlFile,
  defaultRoleDefinitions,
  inOneLine,
  parseRoleDefinitions,
} from './definitions.ts'
import { describeRoles } from './resolve.ts'

const dynamicRole = z.strictObject({
  role: z.string().describe('Its name.'),
  permission: z
    .union([z.record(z.string(), z.array(z.string())), z.string()])
    .describe('The actions on each resource; as text, what the column of the database holds.'),
})

const dynamicRoles = z.array(dynamicRole)

const policyCase = z.strictObject({
  name: z.string().optional().describe('What it is about, in words.'),
  roles: z.array(z.string()).describe('The roles that a member holds.'),
  permission: z
    .string()
    .regex(/^[^:]+:.+$/s, 'must be resource:action')
    .describe('What is asked for, such as leave:approve.'),
  expected: z.boolean().describe('Whether it has to be granted.'),
  dynamicRoles: dynamicRoles.optional().describe('In place of those of all cases.'),
})

/** What a file of policy tests says. */
export const policyTests = z
  .strictObject({
    $schema: z.string().optional(),
    accessControl: z
      .union([z.string(), accessControlFile])
      .optional()
      .describe(
        "An access control file, beside this one, or its content. Absent: Better Auth's default roles.",
      ),
    dynamicRoles: dynamicRoles
      .optional()
      .describe('Roles that the database keeps for the organization.'),
    cases: z.array(policyCase).min(1),
  })
  .describe('Policy tests of the identity gateway: identity-gateway permissions test <file>.')

export type PolicyTests = z.output<typeof policyTests>

/** @throws Error naming the path of every problem. */
export function readPolicyTests(json: unknown): PolicyTests {
  const { success, data, error } = policyTests.safeParse(json)
  if (!success) throw new Error(`These are no policy tests: ${inOneLine(error)}.`)
  return data
}

export interface PolicyResult {
  readonly title: string
  readonly roles: readonly string[]
  readonly permission: string
  readonly expected: boolean
  readonly found: Explanation
}

/**
 * What a member with these roles may do, decided as the gateway does.
 * @param accessControl The content of an access control file; absent: Better Auth's default roles.
 * @throws Error when it does not say what roles may do.
 */
export function runPolicyTests(
  tests: PolicyTests,
  accessControl: unknown,
): readonly PolicyResult[] {
  const definitions =
    accessControl === undefined ? defaultRoleDefinitions : parseRoleDefinitions(accessControl)
  return tests.cases.map((one, index) => {
    const rows = (one.dynamicRoles ?? tests.dynamicRoles ?? []).map(toRow)
    const held = {
      active: true,
      memberships: [parseRoles(one.roles.join(','))],
      defined: describeRoles(definitions, rows),
      readAt: new Date(),
    }
    return {
      ...one,
      title: one.name ?? `case ${index + 1}`,
      found: explain(held, one.permission),
    }
  })
}

function toRow({ role, permission }: z.output<typeof dynamicRole>): DynamicRole {
  return {
    role,
    permission: typeof permission === 'string' ? permission : JSON.stringify(permission),
  }
}

/** Every case that came out otherwise, for a person to read, and how many there were. */
export function printPolicyResults(results: readonly PolicyResult[]): string {
  const failed = results.filter(({ expected, found }) => expected !== found.allowed)
  const passed = results.length - failed.length
  const summary = `${results.length} cases: ${passed} as expected, ${failed.length} not.`
  return `${[...failed.map(differenceOf), summary].join('\n\n')}\n`
}

function differenceOf({ title, roles, permission, expected, found }: PolicyResult): string {
  return [
    `FAIL  ${title}`,
    `        roles       ${roles.join(', ') || '(none)'}`,
    `        permission  ${permission}`,
    `      - expected    ${expected ? 'allowed' : 'refused'}`,
    `      + found       ${found.allowed ? allowedBy(found) : refusedFor(found)}`,
  ].join('\n')
}

function allowedBy({ roles }: Explanation): string {
  const granting = roles.filter(({ grants }) => grants)
  const named = granting.map(({ name, source }) => `${name} (${source?.toLowerCase()})`)
  return `allowed by ${named.join(', ')}`
}

function refusedFor({ roles, grantingRoles }: Explanation): string {
  const unknown = roles.filter(({ source }) => source === null).map(({ name }) => name)
  const instead = grantingRoles.length === 0 ? 'no role does' : `${grantingRoles.join(', ')} would`
  const undefinedRoles = unknown.length === 0 ? '' : `; ${unknown.join(', ')} is defined nowhere`
  return `refused: none of these roles grants it, ${instead}${undefinedRoles}`
}
