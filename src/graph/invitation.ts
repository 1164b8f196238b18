import type { Invitation, InvitationFilter, InvitationStatus } from '../domain/invitation.ts'
import { connect } from './connection.ts'
import { viewerGrant } from './grant.ts'
import type { Graph } from './graph.ts'
import { defineList } from './list.ts'
import { wholeUser } from './user.ts'

export function defineInvitation({ builder, refs }: Graph) {
  const Status = builder.enumType('InvitationStatus', {
    description: 'What became of an invitation.',
    values: {
      PENDING: { description: 'Neither answered nor withdrawn; it may have run out.' },
      ACCEPTED: { description: 'The person joined.' },
      REJECTED: { description: 'The person declined.' },
      CANCELED: { description: 'It was withdrawn.' },
    } as const satisfies Record<InvitationStatus, object>,
  })
  const Invitation = builder.objectRef<Invitation>('Invitation').implement({
    description: 'An offer to join an organization.',
    fields: (t) => ({
      id: t.exposeID('id', {
        description: 'Acts as the invitation link: treat it as private.',
      }),
      email: t.exposeString('email', { description: 'Whom it was sent to.' }),
      roles: t.exposeStringList('roles', { description: 'Names of the roles on offer.' }),
      status: t.expose('status', { type: Status, description: 'What became of it.' }),
      expiresAt: t.expose('expiresAt', { type: 'DateTime', description: 'When it runs out.' }),
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
      resolve: async ({ id }, { status, ...args }, context) => {
        const { viewer, creatorRole: role } = context
        const own = await viewerGrant(id, 'FRESH', context)
        viewer.requireOrganizationField('invitations', own)
        const { userId } = viewer
        const variant: InvitationFilter = {
          status: status ?? undefined,
          onlyForHolder: userId === null ? undefined : { role, userId },
        }
        return connect(context, args, invitationsOfOrganization, { parentId: id, variant })
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
      resolve: async (user, args, context) => {
        await context.viewer.requireUserField(user, 'receivedInvitations')
        const own = await wholeUser(context, user)
        const list = own?.emailVerified && user.email ? invitationsToAddress : invitationsToNobody
        const parentId = user.email.toLowerCase()
        return connect(context, args, list, { parentId, variant: null })
      },
    }),
  )
}

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
