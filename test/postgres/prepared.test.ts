import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Database as Client, Prisma } from '../../src/postgres/client.ts'
import { createInvitationRepository } from '../../src/postgres/invitation.ts'
import { createMemberRepository } from '../../src/postgres/member.ts'
import { createOrganizationRepository } from '../../src/postgres/organization.ts'
import { createRoleRepository } from '../../src/postgres/role.ts'
import { createSessionRepository } from '../../src/postgres/session.ts'
import { Tables } from '../../src/postgres/tables.ts'
import { createTeamRepository } from '../../src/postgres/team.ts'
import { createUserRepository } from '../../src/postgres/user.ts'
import { createVisibilityRepository } from '../../src/postgres/visibility.ts'
import { openHouse } from '../support/client.ts'
import { createDatabase, type Database } from '../support/database.ts'
import { layout } from '../support/layout.ts'

/*
 * PostgreSQL plans a prepared statement anew for the first five times, and then no more if a plan that was made without the
 * values looks as good. To plan one takes longer than to look up a few rows, so no statement of the usual requests may look
 * better with the values that few ask for. Lists of a whole table are planned with how long their page is each time: of what
 * is a tenth of the table, PostgreSQL would rather sort all of it.
 */

let database: Database
let client: Client

beforeAll(async () => {
  database = await createDatabase()
  client = openHouse({ url: database.url, poolSize: 1 })
})

afterAll(async () => {
  await client?.close()
  await database?.drop()
})

const TIMES = 9
const first = { size: 20, from: 'start' } as const
const oldestFirst = { field: 'CREATED_AT', direction: 'ASC' } as const
const db = () => ({ ...client, tables: new Tables(layout, 'public') })
const pair = { userId: 'u', organizationId: 'o' }

test.each<[string, () => Promise<unknown>]>([
  ['a user by id', () => createUserRepository(db()).findByIds(['u'])],
  ['a user by address', () => createUserRepository(db()).findByEmails(['u@example.com'])],
  ['a member by id', () => createMemberRepository(db()).findByIds(['m'])],
  ['a member by pair', () => createMemberRepository(db()).findByPairs([pair])],
  [
    'the members of an organization',
    () => createMemberRepository(db()).listByOrganizationIds(['o'], first, {}, oldestFirst),
  ],
  [
    'those of some roles',
    () =>
      createMemberRepository(db()).listByOrganizationIds(
        ['o'],
        first,
        { roles: ['admin', 'owner'] },
        oldestFirst,
      ),
  ],
  [
    'those who may do something',
    () =>
      createMemberRepository(db()).listByOrganizationIds(
        ['o'],
        first,
        { grantedBy: [{ role: 'admin', organizationId: null }] },
        oldestFirst,
      ),
  ],
  ['how many these are', () => createMemberRepository(db()).countByOrganizationIds(['o'], {})],
  [
    'the organizations of a user',
    () => createMemberRepository(db()).listByUserIds(['u'], first, { scope: 'all' }),
  ],
  [
    'those shared with another',
    () => createMemberRepository(db()).listByUserIds(['u'], first, { scope: { sharedWith: 'v' } }),
  ],
  ['organizations by slug', () => createOrganizationRepository(db()).findBySlugs(['o'])],
  [
    'the invitations of an organization',
    () => createInvitationRepository(db()).listByOrganizationIds(['o'], first, {}),
  ],
  ['invitations by id', () => createInvitationRepository(db()).findByIds(['i'], {})],
  [
    'invitations to an address',
    () => createInvitationRepository(db()).listByEmails(['u@example.com'], first, {}),
  ],
  [
    'the teams of an organization',
    () => createTeamRepository(db()).listByOrganizationIds(['o'], first),
  ],
  ['the members of a team', () => createTeamRepository(db()).listMembers(['t'], first)],
  ['the teams of a member', () => createTeamRepository(db()).findByPairs([pair])],
  ['the teams of a user', () => createTeamRepository(db()).findByUserId('u', ['o'])],
  ['the sessions of a user', () => createSessionRepository(db()).listByUserIds(['u'], first)],
  ['roles', () => createRoleRepository(db()).findRoles([pair], { dynamic: true })],
  [
    'who asks, and what they see',
    () =>
      createVisibilityRepository(db()).look([
        { userId: 'u', delegation: null, organizationIds: ['o'], userIds: ['v'] },
      ]),
  ],
])('%s is planned once, for however many it is asked', async (_, ask) => {
  const before = new Set((await plans()).map(({ name }) => name))
  for (let time = 0; time < TIMES; time++) await ask()
  const own = (await plans()).filter(({ name }) => !before.has(name))
  expect(own.length).toBeGreaterThan(0)
  expect(own.filter(({ custom }) => custom > 5)).toEqual([])
  expect(own.every(({ generic }) => generic > 0)).toBe(true)
})

function plans() {
  return client.read<{ name: string; generic: bigint; custom: bigint; statement: string }>(
    Prisma.sql`SELECT name, generic_plans AS generic, custom_plans AS custom, statement FROM pg_prepared_statements
      WHERE statement NOT LIKE '%pg_prepared_statements%'`,
  )
}
