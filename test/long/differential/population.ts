import { asRoles } from '../../../src/demo/access-control.ts'
import { profiles } from '../../../src/demo/people.ts'
import { seed as seedDemo } from '../../../src/demo/seed.ts'
import {
  type Identity,
  type Organization,
  type Person,
  startIdentity,
} from '../../support/identity.ts'
import { type Random, randomFrom } from '../../support/random.ts'

/** People and organizations of the demo, and others made at random, all by Better Auth. */
export interface Population {
  readonly identity: Identity
  /** Everybody who can sign in, by name. */
  readonly callers: ReadonlyMap<string, Caller>
  readonly organizationIds: readonly string[]
}

/** Somebody with a session at Better Auth and the right to a JWT. */
export type Caller = Pick<Person, 'id' | 'name' | 'email' | 'session' | 'headers' | 'jwt'>

const strangers = Array.from({ length: 10 }, (_, i) => `Random ${i}`)
const bannedMember = 'Banned Member'

/** In the order of the demo; the first one belongs to several organizations, the second is platform admin. */
export const callerNames = [...profiles.map(({ name }) => name), ...strangers]

export async function startPopulation(seed: number): Promise<Population> {
  const identity = await startIdentity()
  const random = randomFrom(seed)
  const callers = new Map<string, Caller>()
  for (const { name, email, password } of await seedDemo(identity.betterAuth.auth))
    callers.set(name, await signIn(identity, { name, email, password }))
  for (const name of strangers) callers.set(name, await identity.signUp(name))
  await identity.sql("update users set email_verified = true where name ~ 'Random [13579]'")
  const banned = await identity.signUp(bannedMember)
  for (let i = 0; i < 8; i++)
    await addOrganization(identity, random, `Random ${i} Ltd`, [...callers.values()], banned)
  await addRowsOfOthers(identity, banned)
  const rows = await identity.sql<{ id: string }>('select id from organizations order by slug')
  return { identity, callers, organizationIds: rows.map(({ id }) => id) }
}

async function signIn(
  { betterAuth }: Identity,
  { name, email, password }: { name: string; email: string; password: string },
): Promise<Caller> {
  const { api } = betterAuth.auth
  const { response, headers } = await api.signInEmail({
    body: { email, password },
    returnHeaders: true,
  })
  const session = headers.get('set-auth-token') ?? ''
  const asPerson = new Headers({ authorization: `Bearer ${session}` })
  const jwt = async () => (await api.getToken({ headers: asPerson })).token
  return { id: response.user.id, name, email, session, headers: asPerson, jwt }
}

const dynamicRoles: Readonly<Record<string, Record<string, string[]>>> = {
  clerk: { leave: ['request', 'approve'] },
  reader: { ac: ['read'], report: ['read'] },
  scout: { invitation: ['create'] },
}
const roleNames = ['admin', 'member', 'approver', 'auditor', 'recruiter']
const allRoleNames = [...roleNames, ...Object.keys(dynamicRoles)]

async function addOrganization(
  identity: Identity,
  random: Random,
  name: string,
  people: readonly Caller[],
  banned: Person,
): Promise<void> {
  const { api } = identity.betterAuth.auth
  const [owner, leaver, ...joining] = random.some(people, random.between(5, 12))
  if (!owner || !leaver) return
  const organization = await identity.createOrganization(owner as Person, name, { of: name })
  const organizationId = organization.id
  const { headers } = owner
  for (const [role, permission] of Object.entries(dynamicRoles))
    if (random.chance(0.7))
      await api.createOrgRole({ body: { organizationId, role, permission }, headers })
  for (const person of [...joining, banned])
    await identity.addMember(
      organization,
      person as Person,
      ...random.some(allRoleNames, random.between(1, 3)),
    )
  const teamIds = await addTeams(identity, random, organization, owner, joining)
  const outside = people.filter((person) => ![owner, leaver, ...joining].includes(person))
  await identity.addMember(organization, leaver as Person, 'admin')
  const inviters = [owner, leaver]
  await addInvitations(identity, random, organization, { inviters, outside, teamIds })
  await api.leaveOrganization({ body: { organizationId }, headers: leaver.headers })
}

async function addTeams(
  { betterAuth }: Identity,
  random: Random,
  { id: organizationId }: Organization,
  { headers }: Caller,
  members: readonly Caller[],
): Promise<string[]> {
  const { api } = betterAuth.auth
  const ids: string[] = []
  for (const name of random.some(['North', 'South', 'East'], random.between(0, 3))) {
    const { id: teamId } = await api.createTeam({ body: { organizationId, name }, headers })
    ids.push(teamId)
    for (const { id: userId } of random.some(members, random.between(0, members.length)))
      await api.addTeamMember({ body: { organizationId, teamId, userId }, headers })
  }
  return ids
}

/** At least one of each end, to people who have an account and to others. */
async function addInvitations(
  { betterAuth, sql }: Identity,
  random: Random,
  { id: organizationId, slug }: Organization,
  from: { inviters: readonly Caller[]; outside: readonly Caller[]; teamIds: readonly string[] },
): Promise<void> {
  const { api } = betterAuth.auth
  const ends = ['pending', 'pending', 'expired', 'accepted', 'rejected', 'canceled'] as const
  const invited = random.some(from.outside, ends.length)
  for (const [i, end] of [...ends, ...ends].entries()) {
    const person = invited[i % invited.length]
    const inviter = random.one(from.inviters)
    if (!person || !inviter) return
    const known = i < ends.length
    const email = known ? person.email : `nobody-${i}@${slug}.example`
    const role = inviter === from.inviters[0] && random.chance(0.3) ? 'owner' : undefined
    const { id: invitationId } = await api.createInvitation({
      body: {
        organizationId,
        email,
        role: asRoles(role ? [role] : random.some(roleNames, random.between(1, 2))),
        teamId: random.some(from.teamIds, random.between(0, 2)),
      },
      headers: inviter.headers,
    })
    const body = { invitationId }
    const { headers } = person
    if (end === 'canceled') await api.cancelInvitation({ body, headers: inviter.headers })
    if (end === 'expired')
      await sql('update invitations set expires_at = now() where id = $1', [invitationId])
    if (known && end === 'accepted') await accept(sql, invitationId, person, organizationId)
    if (known && end === 'rejected')
      await api.rejectInvitation({ body, headers }).catch(() => undefined)
  }
}

/** As accepting it does, which Better Auth does not let people do whose address is not verified. */
async function accept(
  sql: Identity['sql'],
  invitationId: string,
  { id: userId }: Caller,
  organizationId: string,
): Promise<void> {
  await sql("update invitations set status = 'accepted' where id = $1", [invitationId])
  await sql(
    `insert into members (id, organization_id, user_id, role, created_at)
       select $1, $2, $3, role, now() from invitations where id = $1`,
    [invitationId, organizationId, userId],
  )
}

/** What Better Auth writes with providers, devices and bans that no test has. */
async function addRowsOfOthers({ sql }: Identity, banned: Person): Promise<void> {
  await sql(
    `insert into accounts (id, account_id, provider_id, user_id, scope, created_at, updated_at)
       select 'github-' || id, id, 'github', id,
         (array['read:user,user:email', 'openid profile', '', null])[1 + ascii(id) % 4], now(), now()
       from users`,
  )
  await sql(
    `insert into sessions (id, token, user_id, expires_at, created_at, updated_at, ip_address)
       select 'old-' || id, 'old-' || id, id, now() - interval '1 day', now(), now(), '192.0.2.1'
       from users
       union all
       select 'phone-' || id, 'phone-' || id, id, now() + interval '1 day', now(), now(), '192.0.2.2'
       from users`,
  )
  await sql("update users set banned = true, ban_reason = 'spam' where id = $1", [banned.id])
}
