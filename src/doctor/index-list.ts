import type { Model } from '../layout/contract.ts'

/** An index that a statement of the gateway needs, by canonical names. */
export interface NeededIndex {
  readonly model: Model
  readonly fields: readonly string[]
  /**
   * `sorted`: read in the order of the last two, forwards or backwards. `equal`: only compared. `prefix`: `lower(field)`,
   * by how it begins. `words`: the words of each field.
   */
  readonly kind: 'sorted' | 'equal' | 'prefix' | 'words'
  /** What is slow without it. */
  readonly reason: string
}

const USERS = 'pages of `users`, by each order'
const SEARCH = '`search`, all three or none'
const SOME_USERS = '`users` by `role`, and by `banned`'
const LONG = 'pages of long lists: without it, each page sorts the whole list'
const ORGANIZATIONS = 'pages of `organizations`, by each order'
const PLUGINS =
  'what users and organizations have of these plug-ins, some of which make no index for it'
const OLD = 'databases that Better Auth made before 1.4 lack them'

/** Beside primary keys and unique columns, which every database of Better Auth has. docs/indexes.md lists the same. */
export const neededIndexes: readonly NeededIndex[] = [
  sorted('Member', ['organizationId', 'createdAt', 'id'], {
    reason: 'pages of members: without it, each page sorts the whole organization',
  }),
  sorted('Member', ['organizationId', 'role', 'createdAt', 'id'], {
    reason: 'members by `roles` or `permission`: without it, a rare role is looked for in all',
  }),
  equal('Member', ['organizationId', 'userId'], {
    reason:
      'members by `permission`, `search` or `userIds`, and roles of one person in thousands of organizations',
  }),
  sorted('User', ['createdAt', 'id'], { reason: USERS }),
  sorted('User', ['name', 'id'], { reason: USERS }),
  sorted('User', ['email', 'id'], { reason: USERS }),
  sorted('User', ['role', 'createdAt', 'id'], { reason: SOME_USERS }),
  sorted('User', ['banned', 'createdAt', 'id'], { reason: SOME_USERS }),
  prefix('User', 'name'),
  prefix('User', 'email'),
  prefix('User', 'username'),
  {
    model: 'User',
    fields: ['name', 'email'],
    kind: 'words',
    reason:
      '`search` among more people than `LIMIT_ROWS`, which is refused without it: every word of names and addresses',
  },
  sorted('Organization', ['createdAt', 'id'], { reason: ORGANIZATIONS }),
  sorted('Organization', ['name', 'id'], { reason: ORGANIZATIONS }),
  sorted('Member', ['userId', 'createdAt', 'id'], { reason: LONG }),
  sorted('Invitation', ['organizationId', 'status', 'createdAt', 'id'], { reason: LONG }),
  sorted('Team', ['organizationId', 'createdAt', 'id'], { reason: LONG }),
  sorted('TeamMember', ['teamId', 'createdAt', 'id'], { reason: LONG }),
  equal('Session', ['userId', 'expiresAt'], {
    reason: 'sessions of whoever signs in often: those that have ended stay in the table',
  }),
  equal('Passkey', ['userId'], { reason: PLUGINS }),
  equal('Apikey', ['referenceId'], { reason: PLUGINS }),
  equal('OauthConsent', ['userId'], { reason: PLUGINS }),
  equal('SsoProvider', ['organizationId'], { reason: PLUGINS }),
  equal('ScimUser', ['userId'], { reason: PLUGINS }),
  equal('Subscription', ['referenceId'], { reason: PLUGINS }),
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
