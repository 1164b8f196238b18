import type { GraphQLSchema } from 'graphql'
import { loadNames, readLayout } from '../../../src/gateway.ts'
import {
  acceptingKeys,
  createKeys,
  organizationConfig,
  permissionsFor,
} from '../../support/api-keys.ts'
import { federatedGraph } from '../../support/federated-graph.ts'
import type { Identity, Organization, Person } from '../../support/identity.ts'
import { createApp } from '../../support/oauth.ts'
import { createPluginTables } from '../../support/plugin-tables.ts'
import { type World, world } from '../../support/world.ts'

/** What the matrix asks about: Ada, Acme, which Ada owns, and the id of the row that says so. */
export interface MatrixWorld extends World {
  /** The graph that it has, with the tables of all plug-ins. */
  readonly schema: GraphQLSchema
  readonly memberId: string
  /** Of a team of Acme that Ada is in, and of invitations to it. */
  readonly ids: Readonly<Record<'team' | 'pending' | 'accepted' | 'toTheCreatorRole', string>>
  /** A new credential for each kind of caller. */
  readonly tokens: Readonly<Record<Caller, () => Promise<string | undefined>>>
  readonly tokenOf: (app: Scoped<AppOfMatrix['of']>) => Promise<string>
  /** Of Ada, or of Acme. */
  readonly keyOf: (key: Scoped<KeyOfMatrix['of']>) => Promise<string>
}

interface Scoped<Of> {
  readonly of: Of
  readonly scopes: string
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
  'no scope',
] as const
export type Caller = (typeof callers)[number]

/** Apps that speak for one of the callers, with the scopes of one of the services. */
export const apps = [
  ...callers.slice(8).map((scopes) => ({ of: 'themself', scopes }) as const),
  { of: 'a platform admin', scopes: 'identity:read identity:pii permissions:check' },
  { of: 'a platform admin', scopes: 'identity:read identity:pii' },
] as const satisfies readonly { readonly of: Caller; readonly scopes: Caller }[]
export type AppOfMatrix = (typeof apps)[number]

/** API keys, with the scopes of one of the services. */
export const keys = [
  ...callers.slice(8, -1).map((scopes) => ({ of: 'an organization', scopes }) as const),
  { of: 'themself', scopes: 'identity:read identity:pii permissions:check' },
  { of: 'themself', scopes: 'identity:read' },
] as const satisfies readonly { readonly of: string; readonly scopes: Caller }[]
export type KeyOfMatrix = (typeof keys)[number]

/** A world of the file's own in which every kind of caller has met Ada in its way. */
export async function matrixWorld(
  environment: Readonly<Record<string, string>> = {},
): Promise<MatrixWorld> {
  const own = await world({ own: true })
  const giveKey = await createKeys(own.identity)
  const { app, environment: ofApps } = await createApp(own.identity)
  const fillPlugins = await createPluginTables(own.identity)
  const accepting = { ...ofApps, ...(await acceptingKeys(own.identity)) }
  const gateway = own.gatewayWith({ ...environment, ...accepting })
  const { identity, services, ada, carol, rita, eve, ivy, root, ines, acme, evil } = own
  const { api } = identity.betterAuth.auth
  await identity.addMember(acme, rita, 'recruiter')
  await identity.addMember(acme, ines, 'recruiter')
  await identity.createOrganization(root, 'Rooted')
  await identity.createOrganization(ines, 'Elsewhere')
  // Nobody but Ada belongs to this one, in which alone Ada is an auditor.
  await identity.addMember(await identity.createOrganization(eve, 'Alone'), ada, 'auditor')
  await identity.sql(
    "delete from members where user_id = $1 and organization_id in (select id from organizations where slug = 'alone')",
    [eve.id],
  )

  const organizationId = acme.id
  const createTeam = (of: Organization, { headers }: Person) =>
    api.createTeam({ body: { organizationId: of.id, name: 'Ward' }, headers })
  const { id: teamId } = await createTeam(acme, ada)
  const { id: otherTeamId } = await createTeam(evil, eve)
  for (const { id: userId } of [ada, rita])
    await api.addTeamMember({ body: { organizationId, teamId, userId }, headers: ada.headers })

  const invite = (email: string, role: 'member' | 'owner', { headers }: Person, more = {}) =>
    api.createInvitation({ body: { organizationId, email, role, ...more }, headers })
  const { id: accepted } = await invite(ivy.email, 'member', ines)
  await api.acceptInvitation({ body: { invitationId: accepted }, headers: ivy.headers })
  await api.leaveOrganization({ body: { organizationId }, headers: ivy.headers })
  const { id: pending } = await invite(ivy.email, 'member', ines, { teamId })
  await api.leaveOrganization({ body: { organizationId }, headers: ines.headers })
  await api.createInvitation({
    body: { organizationId: evil.id, email: ada.email, role: 'member', teamId: otherTeamId },
    headers: eve.headers,
  })
  // The only canceled invitation is the only one to the creator role.
  const { id: invitationId } = await invite('next.owner@example.com', 'owner', ada)
  await api.cancelInvitation({ body: { invitationId }, headers: ada.headers })

  await fillColumns(identity)
  await fillPlugins(ada, acme)
  const [membership] = await identity.sql<{ id: string }>(
    'select id from members where user_id = $1 and organization_id = $2',
    [ada.id, acme.id],
  )
  await identity.sql("update users set role = 'admin' where id = $1", [root.id])
  await identity.sql(
    'update sessions set active_organization_id = $1, active_team_id = $2, impersonated_by = $3',
    [acme.id, teamId, root.id],
  )
  const [session] = await identity.sql<{ id: string }>(
    'select id from sessions where user_id = $1 order by created_at, id limit 1',
    [ada.id],
  )
  const service = (scope: string) => () => services.token(scope)
  return {
    ...own,
    schema: federatedGraph(readLayout(loadNames(accepting))),
    environment: { ...own.environment, ...accepting },
    gateway,
    tokenOf: ({ of, scopes }) =>
      app.token(of === 'themself' ? ada : root, scopes === 'no scope' ? '' : scopes),
    keyOf: ({ of, scopes }) => {
      const permissions = permissionsFor(scopes)
      return of === 'themself'
        ? giveKey({ reference_id: ada.id, permissions })
        : giveKey({ reference_id: acme.id, config_id: organizationConfig, permissions })
    },
    memberId: membership?.id ?? '',
    ids: { team: teamId, pending, accepted, toTheCreatorRole: invitationId },
    tokens: {
      anonymous: async () => undefined,
      // As `definePayload` of the application can say it.
      themself: async () => {
        const payload = { sub: ada.id, sid: session?.id }
        return (await api.signJWT({ body: { payload } })).token
      },
      'a co-member': () => carol.jwt(),
      'a co-member who may invite and shares a team': () => rita.jwt(),
      'a stranger': () => eve.jwt(),
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
      'no scope': service(''),
    },
  }
}

/** So that a column that is shown is never null; bans have run out, so that everybody may call. */
async function fillColumns({ sql }: Identity): Promise<void> {
  await sql(
    `update users set image = 'i', username = lower(name), display_username = name,
       phone_number = id, phone_number_verified = true, two_factor_enabled = true,
       is_anonymous = true, email_verified = true, banned = true, ban_reason = 'spam',
       ban_expires = '2020-01-01', last_login_method = 'email', role = 'user'`,
  )
  await sql("update organizations set logo = 'l'")
  await sql("update accounts set scope = 'openid'")
  await sql("update sessions set ip_address = '192.0.2.1', user_agent = 'a'")
}
