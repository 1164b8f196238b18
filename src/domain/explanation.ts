import { parseRoles } from './member.ts'
import type { OrganizationRole, Permission } from './permission.ts'

/** What one person holds in one organization, and what its roles grant: read at one moment. */
export interface HeldRoles {
  /** False when the user does not exist or is effectively banned. */
  readonly active: boolean
  /** The names of the roles of each member row. Better Auth can leave several for one pair; none: not a member. */
  readonly memberships: readonly (readonly string[])[]
  /** Every role that exists in the organization. */
  readonly defined: readonly OrganizationRole[]
  /** The database's clock when the rows were read. */
  readonly readAt: Date
}

/** Why somebody may do something or may not. The first that is true of those that refuse. */
export type Reason = 'GRANTED' | 'NOT_A_MEMBER' | 'NOT_ACTIVE' | 'NOT_GRANTED' | 'NOT_IN_EVERY_ROW'

/** A role that the person holds. */
export interface ExplainedRole {
  readonly name: string
  /** The member row that names it, counted from 1. */
  readonly row: number
  /** `null`: it is defined nowhere, and grants nothing. */
  readonly source: OrganizationRole['source'] | null
  readonly permissions: readonly Permission[]
  /** Whether it grants what was asked for. */
  readonly grants: boolean
}

/** What an answer about permissions follows from, so that anybody can follow it. */
export interface Explanation {
  readonly allowed: boolean
  readonly reason: Reason
  readonly member: boolean
  /** `null`: not a member, of whom nothing is said. */
  readonly active: boolean | null
  /** How many member rows there are for this person, each of which has to have a role that grants it. */
  readonly rows: number
  readonly roles: readonly ExplainedRole[]
  /** The roles held that grant it, by name. */
  readonly grantedBy: readonly string[]
  /** Every role of the organization that grants it, by name, held or not. */
  readonly grantingRoles: readonly string[]
  readonly readAt: Date
}

/** Of what was read, what answers this permission. It decides by itself, as docs/permissions.md says. */
export function explain(held: HeldRoles, permission: Permission): Explanation {
  const { active, memberships, readAt } = held
  const defined = new Map(held.defined.map((role) => [role.name, role]))
  const roles = memberships.flatMap((names, index) =>
    names.map((name): ExplainedRole => {
      const { source = null, permissions = [] } = defined.get(name) ?? {}
      return { name, row: index + 1, source, permissions, grants: permissions.includes(permission) }
    }),
  )
  const granting = roles.filter(({ grants }) => grants)
  const grantingRows = new Set(granting.map(({ row }) => row)).size
  const reason = reasonOf({ rows: memberships.length, grantingRows, active })
  const member = memberships.length > 0
  return {
    allowed: reason === 'GRANTED',
    reason,
    member,
    active: member ? active : null,
    rows: memberships.length,
    roles,
    grantedBy: [...new Set(granting.map(({ name }) => name))],
    grantingRoles: held.defined
      .filter(({ name, permissions }) => canBeHeld(name) && permissions.includes(permission))
      .map(({ name }) => name),
    readAt,
  }
}

/** What is true of a stranger, as of whom a caller hears nothing of anybody else. */
export function explainStranger(readAt: Date): Explanation {
  return explain({ active: false, memberships: [], defined: [], readAt }, '')
}

function reasonOf(of: {
  readonly rows: number
  readonly grantingRows: number
  readonly active: boolean
}): Reason {
  if (of.rows === 0) return 'NOT_A_MEMBER'
  if (!of.active) return 'NOT_ACTIVE'
  if (of.grantingRows === of.rows) return 'GRANTED'
  return of.grantingRows === 0 ? 'NOT_GRANTED' : 'NOT_IN_EVERY_ROW'
}

/** Not a name with a comma or with blanks around it, which in a member row is another. */
function canBeHeld(name: string): boolean {
  const [first] = parseRoles(name)
  return first === name
}
