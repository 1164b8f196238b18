import {
  type Identity,
  type Organization,
  type Person,
  startIdentity,
} from '../../support/identity.ts'
import { type ServiceIssuer, startServiceIssuer } from '../../support/tokens.ts'

/** What the matrix asks about: Sam, Acme, which Sam owns, and the id of the row that says so. */
export interface World {
  readonly identity: Identity
  readonly services: ServiceIssuer
  readonly sam: Person
  readonly acme: Organization
  readonly memberId: string
  /** A new credential for each kind of caller. */
  readonly tokens: Readonly<Record<Caller, () => Promise<string | undefined>>>
  stop(): Promise<void>
}

/** The kinds of callers, in the order of the columns of rules.ts. */
export const callers = [
  'anonymous',
  'themself',
  'a co-member',
  'a co-member who may invite and shares a team',
  'a stranger',
  'an invited person',
  'a platform admin',
  'an inviter who has left',
  'identity:read',
  'identity:pii',
  'permissions:check',
  'identity:read identity:pii',
  'identity:read identity:pii permissions:check',
] as const
export type Caller = (typeof callers)[number]

export async function startWorld(): Promise<World> {
  const identity = await startIdentity()
  const services = await startServiceIssuer()
  const { api } = identity.betterAuth.auth
  const person = (name: string) => identity.signUp(name)
  const sam = await person('Sam')
  const cora = await person('Cora')
  const rita = await person('Rita')
  const stan = await person('Stan')
  const ivy = await person('Ivy')
  const root = await person('Root')
  const ines = await person('Ines')

  const acme = await identity.createOrganization(sam, 'Acme', { plan: 'pro' })
  await identity.addMember(acme, cora, 'member')
  await identity.addMember(acme, rita, 'recruiter')
  await identity.addMember(acme, ines, 'recruiter')
  const others = await identity.createOrganization(stan, 'Others')
  await identity.createOrganization(root, 'Rooted')
  await identity.createOrganization(ines, 'Elsewhere')
  // Nobody but Sam belongs to this one, in which alone Sam is an auditor.
  await identity.addMember(await identity.createOrganization(stan, 'Alone'), sam, 'auditor')
  await identity.sql(
    "delete from members where user_id = $1 and organization_id in (select id from organizations where slug = 'alone')",
    [stan.id],
  )

  const organizationId = acme.id
  const createTeam = (of: Organization, { headers }: Person) =>
    api.createTeam({ body: { organizationId: of.id, name: 'Ward' }, headers })
  const { id: teamId } = await createTeam(acme, sam)
  const { id: otherTeamId } = await createTeam(others, stan)
  for (const { id: userId } of [sam, rita])
    await api.addTeamMember({ body: { organizationId, teamId, userId }, headers: sam.headers })

  await api.createInvitation({
    body: { organizationId, email: ivy.email, role: 'member', teamId },
    headers: ines.headers,
  })
  await api.leaveOrganization({ body: { organizationId }, headers: ines.headers })
  await api.createInvitation({
    body: { organizationId: others.id, email: sam.email, role: 'member', teamId: otherTeamId },
    headers: stan.headers,
  })
  // The only canceled invitation is the only one to the creator role.
  const { id: invitationId } = await api.createInvitation({
    body: { organizationId, email: 'next.owner@example.com', role: 'owner' },
    headers: sam.headers,
  })
  await api.cancelInvitation({ body: { invitationId }, headers: sam.headers })

  await fillColumns(identity)
  const [membership] = await identity.sql<{ id: string }>(
    'select id from members where user_id = $1 and organization_id = $2',
    [sam.id, acme.id],
  )
  await identity.sql("update users set role = 'admin' where id = $1", [root.id])
  const service = (scope: string) => () => services.token(scope)
  return {
    identity,
    services,
    sam,
    acme,
    memberId: membership?.id ?? '',
    tokens: {
      anonymous: async () => undefined,
      themself: () => sam.jwt(),
      'a co-member': () => cora.jwt(),
      'a co-member who may invite and shares a team': () => rita.jwt(),
      'a stranger': () => stan.jwt(),
      'an invited person': () => ivy.jwt(),
      'a platform admin': () => root.jwt(),
      'an inviter who has left': () => ines.jwt(),
      'identity:read': service('identity:read'),
      'identity:pii': service('identity:pii'),
      'permissions:check': service('permissions:check'),
      'identity:read identity:pii': service('identity:read identity:pii'),
      'identity:read identity:pii permissions:check': service(
        'identity:read identity:pii permissions:check',
      ),
    },
    async stop() {
      await services.stop()
      await identity.stop()
    },
  }
}

/** So that a column that is shown is never null; bans have run out, so that everybody may call. */
async function fillColumns({ sql }: Identity): Promise<void> {
  await sql(
    `update users set image = 'i', username = lower(name), display_username = name,
       phone_number = id, phone_number_verified = true, two_factor_enabled = true,
       is_anonymous = true, email_verified = true, banned = true, ban_reason = 'spam',
       ban_expires = '2020-01-01', role = 'user'`,
  )
  await sql("update organizations set logo = 'l'")
  await sql("update accounts set scope = 'openid'")
  await sql(
    `update sessions set ip_address = '192.0.2.1', user_agent = 'a',
       active_organization_id = 'o', impersonated_by = 'u'`,
  )
}
