import type { Model } from '../layout/contract.ts'

/** An index that a statement of the gateway needs, by canonical names. */
export interface NeededIndex {
  readonly model: Model
  readonly fields: readonly string[]
  /**
   * `sorted`: read in the order of the last two, forwards or backwards. `equal`: only compared. `prefix`: `lower(field)`,
   * by how it begins.
   */
  readonly kind: 'sorted' | 'equal' | 'prefix'
  /** What is slow without it. */
  readonly reason: string
}

const USERS = 'pages of `users`, by each order'
const SEARCH = '`search`, all three or none'
const ORGANIZATIONS = 'pages of `organizations`, by each order'
const OLD = 'databases that Better Auth made before 1.4 lack them'

/** Beside primary keys and unique columns, which every database of Better Auth has. README.md lists the same. */
export const neededIndexes: readonly NeededIndex[] = [
  sorted('Member', ['organizationId', 'createdAt', 'id'], {
    reason: 'pages of members: without it, each page sorts the whole organization',
  }),
  equal('Member', ['organizationId', 'userId'], {
    reason: 'roles of one person where people have thousands of organizations',
  }),
  sorted('User', ['createdAt', 'id'], { reason: USERS }),
  sorted('User', ['name', 'id'], { reason: USERS }),
  sorted('User', ['email', 'id'], { reason: USERS }),
  prefix('User', 'name'),
  prefix('User', 'email'),
  prefix('User', 'username'),
  sorted('Organization', ['createdAt', 'id'], { reason: ORGANIZATIONS }),
  sorted('Organization', ['name', 'id'], { reason: ORGANIZATIONS }),
  equal('Member', ['userId'], { reason: OLD }),
  equal('Member', ['organizationId'], { reason: OLD }),
  equal('Session', ['userId'], { reason: OLD }),
  equal('Account', ['userId'], { reason: OLD }),
  equal('Invitation', ['email'], { reason: OLD }),
  equal('Invitation', ['organizationId'], { reason: OLD }),
  equal('Team', ['organizationId'], { reason: OLD }),
  equal('TeamMember', ['teamId'], { reason: OLD }),
  equal('TeamMember', ['userId'], { reason: OLD }),
  equal('OrganizationRole', ['organizationId'], { reason: OLD }),
]

type Why = Pick<NeededIndex, 'reason'>

function sorted(model: Model, fields: readonly string[], { reason }: Why): NeededIndex {
  return { model, fields, kind: 'sorted', reason }
}

function equal(model: Model, fields: readonly string[], { reason }: Why): NeededIndex {
  return { model, fields, kind: 'equal', reason }
}

function prefix(model: Model, field: string): NeededIndex {
  return { model, fields: [field], kind: 'prefix', reason: SEARCH }
}
