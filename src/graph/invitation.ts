import type { Invitation, InvitationFilter, InvitationStatus } from '../domain/invitation.ts'
import { checkKey } from '../domain/limits.ts'
import type { Context } from './context.ts'
import { viewerGrant } from './grant.ts'
import type { Graph } from './graph.ts'
import { connect } from './lists/connection.ts'
import { defineList } from './lists/list.ts'
import { byId } from './loaders.ts'
import { hasTeams } from './refs.ts'
import { teamsById } from './team.ts'
import { wholeUser } from './user.ts'

export function defineInvitation({ builder, refs, features }: Graph) {
  const Status = builder.enumType('InvitationStatus', {
    description: 'What became of an invitation.',
    values: {
      PENDING: { description: 'Neither answered nor withdrawn; it may have run out.' },
      ACCEPTED: { description: 'The person joined.' },
      REJECTED: { description: 'The person declined.' },
      CANCELED: { description: 'It was withdrawn.' },
    } as const satisfies Record<InvitationStatus, object>,
  })
  const { Invitation } = refs
  builder.objectType(Invitation, {
    description: 'An offer to join an organization.',
    fields: (t) => ({
      id: t.exposeID('id', {
        description: 'Acts as the invitation link: treat it as private.',
      }),
      email: t.exposeString('email', { description: 'Whom it was sent to.' }),
      roles: t.exposeStringList('roles', { description: 'Names of the roles on offer.' }),
      status: t.expose('status', { type: Status, description: 'What became of it.' }),
      expiresAt: t.expose('expiresAt', { type: 'DateTime', description: 'When it runs out.' }),
      isExpired: t.boolean({
        description: 'Whether it has run out before anybody answered it.',
        resolve: ({ status, expiresAt }) =>
          status === 'PENDING' && expiresAt.getTime() <= Date.now(),
      }),
      createdAt: t.expose('createdAt', {
        type: 'DateTime',
        nullable: true,
        description: 'When it was made.',
      }),
      organization: t.field({
        type: refs.Organization,
        nullable: true,
        description: 'The organization; null for an invited person who is not a member of it.',
        resolve: async ({ organizationId }, _args, { viewer }) =>
          (await viewer.seesOrganization(organizationId)) ? organizationId : null,
      }),
      organizationName: t.exposeString('organizationName', {
        description: 'The name of the organization, also for those who are not members.',
      }),
      inviter: t.field({
        type: refs.User,
        nullable: true,
        description: 'Who made it. Of one who has left, id, name and image alone.',
        resolve: ({ inviterId }) => inviterId,
      }),
      teamIds: t.exposeIDList('teamIds', { description: 'The teams on offer.' }),
    }),
  })
  if (hasTeams(features))
    builder.objectField(Invitation, 'teams', (t) =>
      t.field({
        type: [refs.Team],
        nullable: true,
        description:
          'The teams on offer that there are still; null for an invited person who is not a member of the organization.',
        resolve: async ({ organizationId, teamIds }, _args, context) => {
          if (!(await context.viewer.seesOrganization(organizationId))) return null
          const teams = await Promise.all(teamIds.map((id) => teamsById(context).load(id)))
          return teams.flatMap((team) => (team?.organizationId === organizationId ? team : []))
        },
      }),
    )
  builder.queryField('invitation', (t) =>
    t.field({
      type: Invitation,
      nullable: true,
      description:
        'An invitation by id, whatever became of it: for whoever has the address it was sent to, once that is verified, and for whoever sees it among the invitations of the organization. Null when there is none, or none the caller may see.',
      args: {
        id: t.arg.id({ required: true, description: "Better Auth's id of the invitation." }),
      },
      resolve: (_root, { id }, context) => invitationById(context, id),
    }),
  )
  const InvitationConnection = builder.connectionObject(
    { type: Invitation, name: 'InvitationConnection', description: 'A page of invitations.' },
    { name: 'InvitationEdge', description: 'An invitation at its place in the list.' },
  )

  builder.objectField(refs.Organization, 'invitations', (t) =>
    t.field({
      type: InvitationConnection,
      nullable: true,
      description:
        'Invitations, the oldest first. For holders of `invitation:create`; those that offer the creator role, for its holders.',
      args: {
        ...t.arg.connectionArgs(),
        status: t.arg({ type: Status, description: 'Only those of which this became.' }),
      },
      resolve: async ({ id }, { status, ...args }, context, info) => {
        const { viewer } = context
        const own = await viewerGrant(id, 'FRESH', context)
        viewer.requireOrganizationField('invitations', own)
        const variant: InvitationFilter = { status: status ?? undefined, ...offeredTo(context) }
        return connect(context, args, invitationsOfOrganization, {
          parentId: id,
          variant,
          info,
        })
      },
    }),
  )

  builder.objectField(refs.User, 'receivedInvitations', (t) =>
    t.field({
      type: InvitationConnection,
      nullable: true,
      description:
        "Pending invitations to the user's own address, the oldest first; none until the address is verified.",
      args: t.arg.connectionArgs(),
      resolve: async (user, args, context, info) => {
        await context.viewer.requireUserField(user, 'receivedInvitations')
        const own = await wholeUser(context, user)
        const list = own?.emailVerified && own.email ? invitationsToAddress : invitationsToNobody
        const parentId = own?.email.toLowerCase() ?? ''
        return connect(context, args, list, { parentId, variant: null, info })
      },
    }),
  )
}

/** Those that offer the creator role are for its holders. */
function offeredTo({ viewer, creatorRole }: Context): Pick<InvitationFilter, 'onlyForHolder'> {
  const { userId } = viewer
  return userId === null ? {} : { onlyForHolder: { role: creatorRole, userId } }
}

/** The door to one invitation. `null`: there is none, or none the caller may see. */
export async function invitationById(context: Context, given: string): Promise<Invitation | null> {
  const { viewer } = context
  viewer.requireInvitation()
  const id = checkKey(given, 'id')
  const [invitation, ofOrganization] = await Promise.all([
    invitationsById(context, {}).load(id),
    invitationsById(context, offeredTo(context)).load(id),
  ])
  const organizationId = invitation?.organizationId ?? null
  const [isInvited, sees, own] = await Promise.all([
    viewer.isInvited(invitation?.email ?? null),
    viewer.seesOrganization(organizationId),
    viewerGrant(organizationId ?? NOWHERE, 'FRESH', context),
  ])
  if (isInvited) return invitation
  return sees && viewer.showsOrganizationField('invitations', own) ? ofOrganization : null
}

/** No organization's id, to ask about where there is none: absent takes as long as not visible. */
const NOWHERE = '-'

const invitationsById = byId<Invitation, Pick<InvitationFilter, 'onlyForHolder'>>(
  (ids, { invitations }, filter) => invitations.findByIds(ids, filter),
)

const invitationsOfOrganization = defineList<Invitation, InvitationFilter>({
  field: 'Organization.invitations',
  load: (ids, page, { invitations }, filter) =>
    invitations.listByOrganizationIds(ids, page, filter),
  count: (ids, { invitations }, filter) => invitations.countByOrganizationIds(ids, filter),
})

const pending: InvitationFilter = { status: 'PENDING' }

const invitationsToAddress = defineList<Invitation>({
  field: 'User.receivedInvitations',
  load: (addresses, page, { invitations }) => invitations.listByEmails(addresses, page, pending),
  count: (addresses, { invitations }) => invitations.countByEmails(addresses, pending),
})

const invitationsToNobody = defineList<Invitation>({
  field: invitationsToAddress.field,
  load: async () => new Map(),
  count: async () => new Map(),
})
