import fc from 'fast-check'
import { roles as demoRoles } from '../../../src/demo/access-control.ts'

/** The actions on each resource that a role grants. */
export type Statements = Readonly<Record<string, readonly string[]>>

/** One way to configure Better Auth's organization plug-in, and with it the gateway. */
export interface RoleSet {
  readonly name: string
  /** `null`: Better Auth's defaults. */
  readonly roles: Readonly<Record<string, Statements>> | null
  /** Without access control Better Auth ignores roles in the database, also where they are enabled. */
  readonly accessControl: boolean
  readonly dynamic: boolean
}

const usualNames = ['owner', 'admin', 'member', 'approver', 'auditor', 'clerk']
const unusualNames = ['unknown', 'Owner', 'MEMBER', 'two words', 'ünï', '1', 'a:b', '*', 'null']
const properties = ['constructor', '__proto__', 'toString', 'hasOwnProperty']

/** Names that a role can have; some are those of properties that every object has. */
export const roleName = fc.oneof(
  { weight: 16, arbitrary: fc.constantFrom(...usualNames) },
  { weight: 8, arbitrary: fc.constantFrom(...unusualNames) },
  { weight: 1, arbitrary: fc.constantFrom(...properties) },
)

const resources = ['organization', 'member', 'invitation', 'ac', 'leave', 'report', 'Leave', '7']
const actions = ['create', 'read', 'update', 'delete', 'cancel', 'approve', 'by:night', '*']

export const resourceOf = fc.constantFrom(...resources)
export const actionOf = fc.constantFrom(...actions)

/** What one role grants: some of the above, with lists that are empty or repeat themselves among them. */
export const statementsOf: fc.Arbitrary<Statements> = fc.dictionary(
  fc.oneof({ weight: 12, arbitrary: resourceOf }, fc.constantFrom('', 'a:b', 'leave:by')),
  fc.array(fc.oneof({ weight: 12, arbitrary: actionOf }, fc.constant('')), { maxLength: 6 }),
  { maxKeys: 5 },
)

const { owner: _owner, ...ownerless } = statementsIn(demoRoles)

const chosen: readonly RoleSet[] = [
  { name: 'the defaults', roles: null, accessControl: false, dynamic: false },
  { name: 'the defaults, dynamic in vain', roles: null, accessControl: false, dynamic: true },
  { name: 'the defaults, dynamic', roles: null, accessControl: true, dynamic: true },
  { name: 'the demo', roles: statementsIn(demoRoles), accessControl: true, dynamic: false },
  { name: 'the demo, dynamic', roles: statementsIn(demoRoles), accessControl: true, dynamic: true },
  { name: 'no owner', roles: ownerless, accessControl: true, dynamic: false },
  { name: 'no owner, dynamic', roles: ownerless, accessControl: true, dynamic: true },
  { name: 'no roles', roles: {}, accessControl: true, dynamic: false },
  { name: 'no roles, dynamic', roles: {}, accessControl: true, dynamic: true },
  {
    name: 'roles and resources named like properties',
    roles: {
      constructor: { leave: ['approve'] },
      toString: { leave: ['read'], constructor: ['create'], valueOf: [] },
      member: { constructor: ['create'], hasOwnProperty: ['read'] },
    },
    accessControl: true,
    dynamic: false,
  },
]

/** The ones worth naming, and as many random ones as make this number. */
export function roleSets(count: number, seed: number): readonly RoleSet[] {
  const random = fc.record({
    roles: fc.dictionary(
      roleName.filter((name) => name !== '__proto__'),
      statementsOf,
      { maxKeys: 8 },
    ),
    dynamic: fc.boolean(),
  })
  const sampled = fc.sample(random, { seed, numRuns: count - chosen.length })
  return [
    ...chosen,
    ...sampled.map(({ roles, dynamic }, index) => ({
      name: `random ${index}${dynamic ? ', dynamic' : ''}`,
      roles,
      accessControl: true,
      dynamic,
    })),
  ]
}

/** Whether roles in the database count. */
export function isDynamic({ accessControl, dynamic }: RoleSet): boolean {
  return accessControl && dynamic
}

function statementsIn(
  roles: Readonly<Record<string, { readonly statements: Statements }>>,
): Record<string, Statements> {
  return Object.fromEntries(
    Object.entries(roles).map(([name, { statements }]) => [name, statements]),
  )
}
