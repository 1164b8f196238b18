import { randomUUID } from 'node:crypto'
import fc from 'fast-check'
import type { Identity } from '../../support/identity.ts'
import { roleName, statementsOf } from './role-sets.ts'

/** A role in the database, as Better Auth stores it. */
export interface StoredRole {
  readonly role: string
  /** JSON of the actions on each resource, or what somebody left there. */
  readonly permission: string
}

interface Someone {
  readonly id: string
}

export interface HostileWorld {
  /** Each with the roles it has in the database. */
  readonly organizations: ReadonlyMap<string, readonly StoredRole[]>
  /** What is in the role column of each membership of a person in an organization, the oldest first. */
  memberships(person: Someone, organizationId: string): readonly string[]
}

const blank = fc.constantFrom('', '', '', ' ', '\t', '  ', '\n', '\u00a0', '\u3000')
const padded = fc.tuple(blank, roleName, blank).map((parts) => parts.join(''))

/** A role column: names separated by commas, with blanks, twice the same, or none at all. */
const storedNames = fc.oneof(
  { weight: 12, arbitrary: fc.array(padded, { minLength: 1, maxLength: 4 }) },
  fc.constantFrom([''], [' '], ['', ''], ['', 'member', ''], ['member;admin'], ['[', ']']),
)
const roleColumn = storedNames.map((names) => names.join(','))

const wellFormed: fc.Arbitrary<StoredRole> = fc.record({
  role: fc.oneof(
    { weight: 12, arbitrary: roleName },
    fc.constantFrom('a,b', ' clerk', 'clerk ', ''),
  ),
  permission: statementsOf.map((statements) => JSON.stringify(statements)),
})

/** What is not JSON of lists of texts by resource. */
export const malformed = [
  ...['', '{nope', 'null', '[]', '7', '"leave:approve"', '[["leave"]]', '{"leave":"approve"}'],
  ...['{"leave":[1]}', '{"leave":null}', '{"leave":{}}', '{"leave":[["approve"]]}'],
  ...['{"leave":["approve"],"report":true}', '{"leave":["approve"]} x', "{'leave':['approve']}"],
]
const spoiled: fc.Arbitrary<StoredRole> = fc.record({
  role: roleName,
  permission: fc.constantFrom(...malformed),
})

const crowded = fc.array(wellFormed, { minLength: 101, maxLength: 140 })

const storedRoles = fc.oneof(
  { weight: 3, arbitrary: fc.constant([]) },
  { weight: 6, arbitrary: fc.array(wellFormed, { minLength: 1, maxLength: 6 }) },
  {
    weight: 2,
    arbitrary: fc
      .tuple(fc.array(wellFormed, { maxLength: 4 }), fc.array(spoiled, { minLength: 1 }))
      .map((rows) => rows.flat()),
  },
  { weight: 1, arbitrary: crowded },
)

/** However the rest is drawn, so many organizations have more roles than Better Auth reads. */
const CROWDED = 3

/** Organizations with hostile roles, whose members are these people. */
export async function createHostileWorld(
  identity: Identity,
  people: readonly Someone[],
  options: { readonly organizations: number; readonly seed: number },
): Promise<HostileWorld> {
  const { seed } = options
  const rowsOfEach = [
    ...fc.sample(storedRoles, { seed, numRuns: options.organizations - CROWDED }),
    ...fc.sample(crowded, { seed, numRuns: CROWDED }),
  ]
  const organizations = new Map(rowsOfEach.map((rows, index) => [`organization-${index}`, rows]))
  const memberships = new Map<string, readonly string[]>()
  const columns = fc.sample(
    fc.oneof(
      { weight: 1, arbitrary: fc.constant([]) },
      { weight: 10, arbitrary: fc.tuple(roleColumn) },
      { weight: 1, arbitrary: fc.array(roleColumn, { minLength: 2, maxLength: 3 }) },
    ),
    { seed: seed + 1, numRuns: options.organizations * people.length },
  )
  for (const id of organizations.keys())
    for (const person of people) memberships.set(`${id} ${person.id}`, columns.pop() ?? [])
  await insertOrganizations(identity, organizations)
  await insertMembers(
    identity,
    [...memberships].flatMap(([key, roles]) => {
      const [organizationId = '', userId = ''] = key.split(' ')
      return roles.map((role) => ({ organizationId, userId, role }))
    }),
  )
  return {
    organizations,
    memberships: (person, organizationId) =>
      memberships.get(`${organizationId} ${person.id}`) ?? [],
  }
}

export async function insertOrganizations(
  identity: Identity,
  organizations: ReadonlyMap<string, readonly StoredRole[]>,
): Promise<void> {
  await identity.sql(
    `insert into organizations (id, name, slug, created_at)
       select id, id, id, now() from unnest($1::text[]) id`,
    [[...organizations.keys()]],
  )
  const rows = [...organizations].flatMap(([id, roles]) => roles.map((row) => ({ id, ...row })))
  await identity.sql(
    `insert into organization_roles (id, organization_id, role, permission, created_at)
       select gen_random_uuid()::text, organization, role, permission, now()
       from unnest($1::text[], $2::text[], $3::text[]) given (organization, role, permission)`,
    [rows.map(({ id }) => id), rows.map(({ role }) => role), rows.map((row) => row.permission)],
  )
}

export interface StoredMember {
  readonly organizationId: string
  readonly userId: string
  readonly role: string
}

/** Each is younger than the one before. */
export async function insertMembers(
  identity: Identity,
  members: readonly StoredMember[],
): Promise<void> {
  await identity.sql(
    `insert into members (id, organization_id, user_id, role, created_at)
       select given.id, organization, person, role, now() + interval '1 ms' * place
       from unnest($1::text[], $2::text[], $3::text[], $4::text[])
         with ordinality given (id, organization, person, role, place)`,
    [
      members.map(() => randomUUID()),
      members.map(({ organizationId }) => organizationId),
      members.map(({ userId }) => userId),
      members.map(({ role }) => role),
    ],
  )
}
