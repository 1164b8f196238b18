import { vi } from 'vitest'
import { asRoles } from '../../../src/demo/access-control.ts'
import type { Auth } from '../../../src/demo/better-auth.ts'

export interface World {
  /** Ids by name: people, organizations, teams. */
  readonly ids: Readonly<Record<string, string>>
  /** When each person was made. */
  readonly times: Readonly<Record<string, string>>
  /** Of each person, to act in their name at Better Auth. */
  readonly headers: Readonly<Record<string, Headers>>
  /** A signed session token of each person. */
  readonly sessions: Readonly<Record<string, string>>
  /** The bare token of a session of Bob's that has run out. */
  readonly expired: string
}

/** The time at which all worlds of this run begin. */
const beginning = Date.now() - 60_000

export function createIds(): () => string {
  let last = 0
  return () => `00000000-0000-4000-8000-${String(++last).padStart(12, '0')}`
}

/**
 * Fills a database through Better Auth. Every world is the same to the millisecond: time moves a second with each step,
 * and ids are counted.
 */
export async function createWorld(auth: Auth, organizations: boolean): Promise<World> {
  vi.useFakeTimers({ toFake: ['Date'], now: beginning })
  try {
    return await fill(auth, organizations)
  } finally {
    vi.useRealTimers()
  }
}

async function fill(auth: Auth, organizations: boolean): Promise<World> {
  const ids: Record<string, string> = {}
  const times: Record<string, string> = {}
  const headers: Record<string, Headers> = {}
  const sessions: Record<string, string> = {}
  const step = () => vi.setSystemTime(Date.now() + 1000)
  const as = (name: string) => ({ headers: headers[name] ?? new Headers() })
  const id = (name: string) => ids[name] ?? ''

  for (const name of ['Ada', 'Bob', 'Cleo', 'Dan', 'Eve']) {
    step()
    const answer = await auth.api.signUpEmail({
      body: {
        name,
        email: `${name.toLowerCase()}@example.com`,
        password: 'a long password',
        ...(name === 'Bob' && { username: 'Bobby', image: 'https://example.com/bob.png' }),
      },
      returnHeaders: true,
    })
    ids[name] = answer.response.user.id
    times[name] = new Date().toISOString()
    sessions[name] = answer.headers.get('set-auth-token') ?? ''
    headers[name] = new Headers({ authorization: `Bearer ${sessions[name]}` })
  }
  const { internalAdapter } = await auth.$context
  await internalAdapter.updateUser(id('Ada'), { role: 'admin', emailVerified: true })
  await internalAdapter.updateUser(id('Cleo'), { emailVerified: true })
  const ban = { banned: true, banReason: 'spam' }
  const minutes = (count: number) => new Date(beginning + count * 60_000)
  await internalAdapter.updateUser(id('Dan'), { ...ban, banExpires: minutes(-5) })
  await internalAdapter.updateUser(id('Eve'), { ...ban, banExpires: minutes(60) })
  step()
  const again = await auth.api.signInEmail({
    body: { email: 'bob@example.com', password: 'a long password' },
  })
  await internalAdapter.updateSession(again.token, { expiresAt: minutes(-2) })
  if (!organizations) return { ids, times, headers, sessions, expired: again.token }

  for (const [name, owner, metadata] of [
    ['Acme', 'Ada', { plan: 'gold' }],
    ['Beta', 'Bob', undefined],
  ] as const) {
    step()
    const body = { name, slug: name.toLowerCase(), ...(metadata && { metadata }) }
    ids[name] = (await auth.api.createOrganization({ body, ...as(owner) })).id
  }
  for (const [organization, person, ...role] of [
    ['Acme', 'Bob', 'admin', 'approver'],
    ['Acme', 'Cleo', 'member'],
    ['Acme', 'Dan', 'member'],
    ['Beta', 'Ada', 'member'],
    ['Beta', 'Eve', 'auditor'],
  ] as const) {
    step()
    const body = { organizationId: id(organization), userId: id(person), role: asRoles(role) }
    const member = await auth.api.addMember({ body })
    ids[`${person} of ${organization}`] = member.id
  }
  const organizationId = id('Acme')
  step()
  // Versions before 1.3 have no roles in the database, and none of them knows teams with people in them.
  if ('createOrgRole' in auth.api)
    await auth.api.createOrgRole({
      body: { organizationId, role: 'clerk', permission: { report: ['read'] } },
      ...as('Ada'),
    })
  step()
  await auth.api.updateMemberRole({
    body: { organizationId, memberId: id('Dan of Acme'), role: asRoles(['member', 'clerk']) },
    ...as('Ada'),
  })
  step()
  if ('addTeamMember' in auth.api) {
    const team = await auth.api.createTeam({ body: { organizationId, name: 'Blue' }, ...as('Ada') })
    ids.Blue = team.id
    for (const person of ['Cleo', 'Ada']) {
      step()
      await auth.api.addTeamMember({ body: { teamId: team.id, userId: id(person) }, ...as('Ada') })
    }
  }
  for (const [organization, inviter, email, role] of [
    ['Acme', 'Ada', 'zoe@example.com', 'member'],
    ['Acme', 'Ada', 'yan@example.com', 'owner'],
    ['Beta', 'Bob', 'cleo@example.com', 'auditor'],
  ] as const) {
    step()
    const body = { organizationId: id(organization), email, role: asRoles([role]) }
    const invitation = await auth.api.createInvitation({ body, ...as(inviter) })
    ids[`invitation of ${email}`] = invitation.id
  }
  return { ids, times, headers, sessions, expired: again.token }
}
