import type { Identity, Person } from '../../support/identity.ts'
import type { Random } from '../../support/random.ts'

/** Whom and what there is to change. */
export interface Changeable {
  readonly identity: Identity
  /** Who may be banned, signed out, and be a member of anything. */
  readonly people: readonly Person[]
  readonly admin: Person
  readonly organizations: readonly string[]
}

/** One change; `null` where there was nothing to change. */
type Make = (random: Random, of: Changeable) => Promise<unknown>

const ROLES = ['member', 'approver', 'admin', 'owner', 'clerk', 'clerk', 'clerk,member', 'nonsense']
const PERMISSIONS = ['{"report":["read"]}', '{"leave":["approve"]}', '{"member":["create"]}', '[]']

let count = 0
const fresh = (what: string) => `${what}-${++count}`

/** Calls Better Auth as a person, who may be refused: what is refused changes nothing. */
async function call({ identity }: Changeable, session: string, path: string, body: object) {
  await fetch(`${identity.betterAuth.url}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${session}` },
    body: JSON.stringify(body),
  }).then((response) => response.arrayBuffer())
}

/** Somebody who may change an organization, with a session of theirs; `null`: nobody who can sign in. */
async function ownerOf({ identity, people }: Changeable, organizationId: string) {
  const rows = await identity.sql<{ user_id: string }>(
    `select user_id from members join users u on u.id = user_id
      where organization_id = $1 and members.role ~ 'owner' and u.banned is not true`,
    [organizationId],
  )
  const owner = people.find(({ id }) => rows.some(({ user_id }) => user_id === id))
  return owner ? signIn(identity, owner) : null
}

/** Another session of somebody; `null`: they are banned. */
export async function signIn({ betterAuth }: Identity, { email, password }: Person) {
  const signedIn = await betterAuth.auth.api
    .signInEmail({ body: { email, password }, returnHeaders: true })
    .catch(() => null)
  return signedIn?.headers.get('set-auth-token') ?? null
}

/** What is made by SQL: the statement alone, so that several can be one transaction. */
const statements: Readonly<Record<string, (random: Random, of: Changeable) => string>> = {
  'a member is added': (random, of) =>
    `insert into members (id, organization_id, user_id, role, created_at)
      select '${fresh('m')}', ${organization(random, of)}, id, ${role(random)}, now() from users
      where id = ${person(random, of)} on conflict do nothing`,
  'a member is removed': (random, of) => `delete from members where ${oneMember(random, of)}`,
  'a member moves': (random, of) =>
    `update members set organization_id = ${organization(random, of)} where ${oneMember(random, of)}`,
  'a member has other roles': (random, of) =>
    `update members set role = ${role(random)} where ${oneMember(random, of)}`,
  'all members have other roles': (random, of) =>
    `update members set role = ${role(random)} where organization_id = ${organization(random, of)}`,
  'a role is made': (random, of) =>
    `insert into organization_roles (id, organization_id, role, permission, created_at)
      select '${fresh('r')}', ${organization(random, of)}, ${text(random.one(['clerk', 'member']))}, ${permission(random)}, now()
      where (select count(*) from organization_roles) < 8`,
  'roles are changed': (random, of) =>
    `update organization_roles set permission = ${permission(random)} where organization_id = ${organization(random, of)}`,
  'roles are deleted': (random, of) =>
    `delete from organization_roles where organization_id = ${organization(random, of)}`,
  'a team is made': (random, of) =>
    `insert into teams (id, organization_id, name, member_count, created_at)
      select '${fresh('t')}', ${organization(random, of)}, '${fresh('Team')}', 0, now()
      where (select count(*) from teams) < 9`,
  'a team has another name': (random, of) =>
    `update teams set name = '${fresh('Team')}' where ${oneTeam(random, of)}`,
  'a team is deleted': (random, of) => `delete from teams where ${oneTeam(random, of)}`,
  'somebody is in a team': (random, of) =>
    `insert into team_members (id, team_id, user_id, membership_key, created_at)
      select '${fresh('tm')}', t.id, m.user_id, '${fresh('key')}', now() from teams t join members m using (organization_id)
      where m.user_id = ${person(random, of)} and t.${oneTeam(random, of)}
      and not exists (select from team_members o where o.team_id = t.id and o.user_id = m.user_id) limit 1`,
  'somebody is in no team': (random, of) =>
    `delete from team_members where user_id = ${person(random, of)}`,
  'an organization has another name': (random, of) =>
    `update organizations set name = '${fresh('Name')}' where id = ${organization(random, of)}`,
  'an organization is deleted and made again': (random, of) => {
    const id = organization(random, of)
    return `delete from organizations where id = ${id};
      insert into organizations (id, name, slug, created_at) values (${id}, 'Again', '${fresh('again')}', now());
      insert into members (id, organization_id, user_id, role, created_at)
        select '${fresh('m')}', ${id}, id, 'owner', now() from users where id = ${person(random, of)}`
  },
  'somebody has another name': (random, of) =>
    `update users set name = '${fresh('Name')}' where id = ${person(random, of)}`,
  'somebody is banned': (random, of) =>
    `update users set banned = true where id = ${person(random, of)}`,
  'nobody is banned': () => `update users set banned = false where banned`,
  'somebody is platform admin, or no more': (random, of) =>
    `update users set role = case when role = 'admin' then 'user' else 'admin' end where id = ${person(random, of)}`,
  'somebody is signed out': (random, of) =>
    `delete from sessions where user_id = ${person(random, of)}`,
  'somebody comes and goes': (random, of) => {
    const id = fresh('guest')
    return `insert into users (id, name, email, email_verified) values ('${id}', 'G', '${id}@example.com', true);
      insert into members (id, organization_id, user_id, role, created_at)
        values ('m-${id}', ${organization(random, of)}, '${id}', 'member', now());
      delete from users where id like 'guest-%' and id <> '${id}'`
  },
  'teams are emptied': () => 'truncate team_members',
}

const text = (value = '') => `'${value}'`
const organization = (random: Random, of: Changeable) => text(random.one(of.organizations))
const person = (random: Random, of: Changeable) => text(random.one(of.people)?.id)
const role = (random: Random) => text(random.one(ROLES))
const permission = (random: Random) => text(random.one(PERMISSIONS))
const oneMember = (random: Random, of: Changeable) =>
  `id = (select id from members where organization_id = ${organization(random, of)} order by md5(id || '${random.between(1, 1e6)}') limit 1)`
const oneTeam = (random: Random, of: Changeable) =>
  `id = (select id from teams where organization_id = ${organization(random, of)} order by md5(id || '${random.between(1, 1e6)}') limit 1)`

/** What is made through Better Auth, and what is not made. */
const calls: Readonly<Record<string, Make>> = {
  'nothing, in the end': (random, of) =>
    of.identity.sql(
      `begin; delete from members where organization_id = ${organization(random, of)}; rollback`,
    ),
  'Better Auth adds a member': async (random, { identity, people, organizations }) => {
    const body = {
      organizationId: random.one(organizations) ?? '',
      userId: random.one(people)?.id ?? '',
      role: 'member' as const,
    }
    await identity.betterAuth.auth.api.addMember({ body }).catch(() => {})
  },
  'Better Auth removes a member': (random, of) =>
    byOwner(random, of, '/organization/remove-member', (memberIdOrEmail) => ({ memberIdOrEmail })),
  'Better Auth changes a role': (random, of) =>
    byOwner(random, of, '/organization/update-member-role', (memberId) => ({
      memberId,
      role: random.one(['member', 'approver', 'admin']),
    })),
  'Better Auth lets somebody leave': async (random, of) => {
    const session = await signIn(of.identity, random.one(of.people) as Person)
    const body = { organizationId: random.one(of.organizations) }
    if (session) await call(of, session, '/organization/leave', body)
  },
  'Better Auth makes a role': (random, of) =>
    byOwner(random, of, '/organization/create-role', () => ({
      role: fresh('made'),
      permission: { leave: ['approve'] },
    })),
  'Better Auth makes a team': (random, of) =>
    byOwner(random, of, '/organization/create-team', () => ({ name: fresh('Team') })),
  'Better Auth changes an organization': (random, of) =>
    byOwner(random, of, '/organization/update', () => ({ data: { name: fresh('Name') } })),
  'Better Auth bans somebody': async (random, of) => {
    const session = await signIn(of.identity, of.admin)
    const userId = random.one(of.people)?.id
    if (session) await call(of, session, '/admin/ban-user', { userId })
  },
  'Better Auth lets somebody in again': async (random, of) => {
    const session = await signIn(of.identity, of.admin)
    const userId = random.one(of.people)?.id
    if (session) await call(of, session, '/admin/unban-user', { userId })
  },
  'Better Auth signs somebody in': async (random, of) => {
    await signIn(of.identity, random.one(of.people) as Person)
  },
  'Better Auth signs somebody out everywhere': async (random, of) => {
    const session = await signIn(of.identity, random.one(of.people) as Person)
    if (session) await call(of, session, '/revoke-other-sessions', {})
  },
}

async function byOwner(
  random: Random,
  of: Changeable,
  path: string,
  bodyFor: (memberId: string) => object,
): Promise<void> {
  const organizationId = random.one(of.organizations) ?? ''
  const seed = random.between(1, 1e6)
  const session = await ownerOf(of, organizationId)
  const [member] = await of.identity.sql<{ id: string }>(
    `select id from members where organization_id = $1 order by md5(id || $2) limit 1`,
    [organizationId, String(seed)],
  )
  if (session && member) await call(of, session, path, { organizationId, ...bodyFor(member.id) })
}

/** So that nobody is alone, banned or without a role after many changes. */
const everybody = ({ people, organizations }: Changeable) => `
  update users set banned = false where banned;
  insert into members (id, organization_id, user_id, role, created_at)
    select '${fresh('m')}-' || u.id || '-' || o.id, o.id, u.id, 'clerk,member', now()
    from organizations o, users u
    where o.id in (${organizations.map(text)}) and u.id in (${people.slice(0, 5).map(({ id }) => text(id))})
    and not exists (select from members m where m.user_id = u.id and m.organization_id = o.id)`

/** Makes a change: through Better Auth, by a statement, or by several in one transaction. Answers what it is called. */
export async function makeChange(random: Random, of: Changeable): Promise<string> {
  if (random.chance(0.1)) {
    await of.identity.sql(everybody(of))
    return 'everybody is there again'
  }
  if (random.chance(0.35)) {
    const [name, make] = random.one(Object.entries(calls)) ?? []
    await make?.(random, of)
    return name ?? ''
  }
  const chosen = random.some(Object.entries(statements), random.chance(0.3) ? 3 : 1)
  const all = chosen.map(([, statement]) => statement(random, of))
  // Several statements that are sent as one are one transaction.
  await of.identity.sql(all.join(';\n'))
  return chosen.map(([name]) => name).join(' + ')
}
