import type { Viewer } from '../access/viewer.ts'
import { checkKeys } from '../domain/limits.ts'
import type {
  Member,
  MembershipFilter,
  MembershipOrder,
  MemberWithOrganization,
} from '../domain/member.ts'
import type { Organization } from '../domain/organization.ts'
import type { Permission } from '../domain/permission.ts'
import { heldInputs, whoMay } from './grant.ts'
import type { Graph } from './graph.ts'
import { connect } from './lists/connection.ts'
import { defineList, OF_MEMBERSHIPS } from './lists/list.ts'
import { defineOrder } from './lists/order.ts'

/** The memberships of a user: as such, and as the organizations they lead to. */
export function defineMembership(graph: Graph) {
  const { builder, refs } = graph
  const Filter = builder.inputType('MembershipFilter', {
    description: 'Which memberships to list; every condition given must hold.',
    fields: heldInputs,
  })
  const whichOf = (
    userId: string,
    given: typeof Filter.$inferInput | null | undefined,
    viewer: Viewer,
    order: MembershipOrder = { field: 'JOINED_AT', direction: 'ASC' },
  ) => {
    const filter: MembershipFilter = {
      scope: viewer.membershipsOf(userId),
      roles: given?.roles == null ? undefined : checkKeys(given.roles, 'roles'),
    }
    const by = order.field === 'JOINED_AT' ? 'CREATED_AT' : order.field
    return { parentId: userId, variant: [filter, given?.permission, order] as const, by }
  }
  const Order = defineOrder(graph, 'UserOrganization', 'organizations of a user', {
    JOINED_AT: { description: 'When the user joined.' },
    NAME: { description: 'The name of the organization, as the database sorts text.' },
  })
  const UserOrganizationEdge = builder.objectRef<{
    readonly cursor: string
    readonly node: Organization
    readonly entity: Member
  }>('UserOrganizationEdge')
  UserOrganizationEdge.implement({
    description: 'An organization of a user, and as what they belong to it.',
    fields: (t) => ({
      cursor: t.exposeString('cursor', {
        description: 'Pass it as `after` or `before` to the same field.',
      }),
      node: t.expose('node', { type: refs.Organization, description: 'The organization.' }),
      roles: t.stringList({
        description: 'Names of the roles the user holds in it.',
        resolve: ({ entity }) => entity.roles,
      }),
      joinedAt: t.field({
        type: 'DateTime',
        description: 'When the user joined.',
        resolve: ({ entity }) => entity.createdAt,
      }),
    }),
  })
  const UserOrganizationConnection = builder.connectionObject(
    {
      type: refs.Organization,
      name: 'UserOrganizationConnection',
      description: 'A page of organizations of a user.',
    },
    UserOrganizationEdge,
  )

  builder.objectFields(refs.User, (t) => ({
    memberships: t.field({
      type: refs.MemberConnection,
      nullable: true,
      description:
        'Memberships, the oldest first. Of another user: only in organizations shared with the caller, and refused where there is none, also to platform admins.',
      args: {
        ...t.arg.connectionArgs(),
        filter: t.arg({ type: Filter, description: 'Which ones.' }),
      },
      resolve: async (user, { filter, ...args }, context, info) => {
        await context.viewer.requireUserField(user, 'memberships')
        return connect(context, args, membershipsOfUser, {
          ...whichOf(user.id, filter, context.viewer),
          info,
        })
      },
    }),
    organizations: t.field({
      type: UserOrganizationConnection,
      nullable: true,
      description:
        'Organizations the user belongs to, the oldest membership first. Of another user: only those shared with the caller, and refused where there is none, also to platform admins.',
      args: {
        ...t.arg.connectionArgs(),
        filter: t.arg({ type: Filter, description: 'Which ones.' }),
        orderBy: t.arg({ type: Order, description: 'In another order.' }),
      },
      resolve: async (user, { filter, orderBy, ...args }, context, info) => {
        await context.viewer.requireUserField(user, 'organizations')
        const which = { ...whichOf(user.id, filter, context.viewer, orderBy ?? undefined), info }
        return connect(
          context,
          args,
          organizationsOfUser,
          which,
          ({ organization }) => organization,
        )
      },
    }),
  }))
}

const membershipsOfUser = defineMemberships('User.memberships')
export const organizationsOfUser = defineMemberships('User.organizations')

function defineMemberships(field: string) {
  type Variant = readonly [MembershipFilter, Permission | null | undefined, MembershipOrder]
  return defineList<MemberWithOrganization, Variant>({
    field,
    neededBy: OF_MEMBERSHIPS,
    load: async (ofUserIds, page, context, [filter, permission, order]) => {
      const which = await whoMay(filter, permission, { ofUserIds }, context)
      return context.members.listByUserIds(ofUserIds, page, which, order)
    },
    count: async (ofUserIds, context, [filter, permission]) => {
      const which = await whoMay(filter, permission, { ofUserIds }, context)
      return context.members.countByUserIds(ofUserIds, which)
    },
  })
}
