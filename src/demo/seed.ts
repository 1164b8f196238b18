import { asRoles } from './access-control.ts'
import type { Auth } from './better-auth.ts'
import { type OrganizationPlan, organizationPlans } from './organizations.ts'
import { type Profile, password, profiles } from './people.ts'

/** Somebody to sign in as. */
export interface DemoPerson {
  readonly name: string
  readonly email: string
  readonly password: string
  readonly userId: string
  /** A JWT of Better Auth. */
  readonly token: string
  readonly platformAdmin: boolean
  readonly organizations: readonly {
    readonly id: string
    readonly slug: string
    readonly name: string
    readonly roles: readonly string[]
  }[]
}

/** Makes people and organizations through Better Auth's own API, so that everything is as Better Auth writes it. */
export async function seed(auth: Auth): Promise<readonly DemoPerson[]> {
  const accounts = new Map<string, Account>()
  await Promise.all(
    profiles.map(async (profile) => accounts.set(profile.username, await signUp(auth, profile))),
  )
  await completeProfiles(auth, accounts)
  const memberships = await Promise.all(
    organizationPlans.map((plan) => createOrganization(auth, plan, accounts)),
  )
  // Better Auth makes its key when it first needs one: once, not for everybody who asks at the same time.
  await auth.api.getJwks()
  return Promise.all(
    profiles.map(async (profile) => {
      const { userId, headers } = find(accounts, profile.username)
      return {
        name: profile.name,
        email: profile.email,
        password,
        userId,
        token: (await auth.api.getToken({ headers })).token,
        platformAdmin: profile.platformAdmin === true,
        organizations: memberships.flatMap((of) => of.get(profile.username) ?? []),
      }
    }),
  )
}

interface Account {
  readonly userId: string
  /** Of a session, to act as this person. */
  readonly headers: Headers
}

/** Only the server itself can make somebody platform admin, before there is one. */
async function signUp(auth: Auth, profile: Profile): Promise<Account> {
  const { name, email, username, platformAdmin } = profile
  if (platformAdmin)
    await auth.api.createUser({
      body: { name, email, password, role: 'admin', data: { username } },
    })
  const { response, headers } = platformAdmin
    ? await auth.api.signInEmail({ body: { email, password }, returnHeaders: true })
    : await auth.api.signUpEmail({ body: { name, email, password, username }, returnHeaders: true })
  const session = new Headers({ authorization: `Bearer ${headers.get('set-auth-token')}` })
  return { userId: response.user.id, headers: session }
}

/** The platform admin says which addresses and numbers are right, as no mail and no message is sent. */
async function completeProfiles(auth: Auth, accounts: ReadonlyMap<string, Account>): Promise<void> {
  const admin = profiles.find(({ platformAdmin }) => platformAdmin)
  const { headers } = find(accounts, admin?.username ?? '')
  await Promise.all(
    profiles.map(({ username, phoneNumber, unverified }) => {
      const phone = phoneNumber && { phoneNumber, phoneNumberVerified: true }
      const data = { ...(unverified ? {} : { emailVerified: true }), ...phone }
      if (Object.keys(data).length === 0) return undefined
      const { userId } = find(accounts, username)
      return auth.api.adminUpdateUser({ body: { userId, data }, headers })
    }),
  )
}

/** Answers the membership of each member, by username. */
async function createOrganization(
  auth: Auth,
  plan: OrganizationPlan,
  accounts: ReadonlyMap<string, Account>,
) {
  const { name, slug, metadata } = plan
  const { headers } = find(accounts, plan.owner)
  const { id: organizationId } = await auth.api.createOrganization({
    body: { name, slug, metadata, keepCurrentActiveOrganization: true },
    headers,
  })
  for (const [role, permission] of Object.entries(plan.dynamicRoles ?? {}))
    await auth.api.createOrgRole({ body: { organizationId, role, permission }, headers })
  const memberships = new Map<string, DemoPerson['organizations'][number]>()
  memberships.set(plan.owner, { id: organizationId, slug, name, roles: ['owner'] })
  // One after the other, so that lists in order of creation are the same in every demo.
  for (const [username, roles] of Object.entries(plan.members)) {
    const { userId } = find(accounts, username)
    await auth.api.addMember({ body: { organizationId, userId, role: asRoles(roles) } })
    memberships.set(username, { id: organizationId, slug, name, roles })
  }
  for (const [team, usernames] of Object.entries(plan.teams)) {
    const { id: teamId } = await auth.api.createTeam({
      body: { organizationId, name: team },
      headers,
    })
    for (const username of usernames) {
      const { userId } = find(accounts, username)
      await auth.api.addTeamMember({ body: { organizationId, teamId, userId }, headers })
    }
  }
  for (const [email, role] of Object.entries(plan.invitations ?? {}))
    await auth.api.createInvitation({ body: { organizationId, email, role }, headers })
  return memberships
}

function find(accounts: ReadonlyMap<string, Account>, username: string): Account {
  const account = accounts.get(username)
  if (account === undefined) throw new Error(`Nobody is called ${username}.`)
  return account
}
