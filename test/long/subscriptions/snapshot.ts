import type { Identity } from '../../support/identity.ts'

/** What is in the database of each user and organization, as text that differs when anything of it does. */
export interface Snapshot {
  readonly users: ReadonlyMap<string, string>
  readonly organizations: ReadonlyMap<string, string>
  /** `<user> <organization>` of each membership. */
  readonly memberships: ReadonlySet<string>
}

const rowsOf = (table: string, key: string, id: string) =>
  `(select jsonb_agg(x order by x.id) from ${table} x where x.${key} = ${id})`

const USERS = `select u.id, jsonb_build_array(u, ${rowsOf('members', 'user_id', 'u.id')},
  ${rowsOf('team_members', 'user_id', 'u.id')})::text as text from users u`
const ORGANIZATIONS = `select o.id, jsonb_build_array(o, ${rowsOf('members', 'organization_id', 'o.id')},
  ${rowsOf('organization_roles', 'organization_id', 'o.id')}, ${rowsOf('teams', 'organization_id', 'o.id')},
  (select jsonb_agg(x order by x.id) from team_members x join teams t on t.id = x.team_id where t.organization_id = o.id)
  )::text as text from organizations o`

export async function takeSnapshot({ sql }: Identity): Promise<Snapshot> {
  const byId = async (query: string) =>
    new Map(
      (await sql<{ id: string; text: string }>(query)).map(({ id, text }) => [id, text] as const),
    )
  const members = await sql<{ user_id: string; organization_id: string }>(
    'select user_id, organization_id from members',
  )
  return {
    users: await byId(USERS),
    organizations: await byId(ORGANIZATIONS),
    memberships: new Set(members.map((row) => `${row.user_id} ${row.organization_id}`)),
  }
}

/** Of those that were there, the ids that are gone or different. */
export function changedIds(
  before: ReadonlyMap<string, string>,
  after: ReadonlyMap<string, string>,
): readonly string[] {
  return [...before].filter(([id, text]) => after.get(id) !== text).map(([id]) => id)
}
