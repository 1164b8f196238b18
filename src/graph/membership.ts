import type { Viewer } from '../access/viewer.ts'
import { checkKeys } from '../domain/limits.ts'
import type { Member, MembershipFilter, MemberWithOrganization } from '../domain/member.ts'
import type { Organization } from '../domain/organization.ts'
import type { Permission } from '../domain/permission.ts'
import { connect } from './connection.ts'
import { heldInputs, whoMay } from './grant.ts'
import type { Graph } from './graph.ts'
import { defineList } from './list.ts'

/** The memberships of a user: as such, and as the organizations they lead to. */
export function defineMembership({ builder, refs }: Graph) {
  const Filter = builder.inputType('MembershipFilter', {
    description: 'Which memberships to list; every condition given must hold.',
    fields: heldInputs,
  })
  const whichOf = (
    userId: string,
    given: typeof Filter.$inferInput | null | undefined,
    viewer: Viewer,
  ) => {
    const filter: MembershipFilter = {
      scope: viewer.membershipsOf(userId),
      roles: given?.roles == null ? undefined : checkKeys(given.roles, 'roles'),
    }
    return { parentId: userId, variant: [filter, given?.permission] as const }
  }
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
        'Memberships, the oldest first. Of another user: only in organizations shared with the caller.',
      args: {
        ...t.arg.connectionArgs(),
        filter: t.arg({ type: Filter, description: 'Which ones.' }),
      },
      resolve: ({ id }, { filter, ...args }, context) =>
        connect(context, args, membershipsOfUser, whichOf(id, filter, context.viewer)),
    }),
    organizations: t.field({
      type: UserOrganizationConnection,
      nullable: true,
      description:
        'Organizations the user belongs to, the oldest membership first. Of another user: only those shared with the caller.',
      args: {
        ...t.arg.connectionArgs(),
        filter: t.arg({ type: Filter, description: 'Which ones.' }),
      },
      resolve: ({ id }, { filter, ...args }, context) =>
        connect(
          context,
          args,
          organizationsOfUser,
          whichOf(id, filter, context.viewer),
          ({ organization }) => organization,
        ),
    }),
  }))
}

const membershipsOfUser = defineMemberships('User.memberships')
export const organizationsOfUser = defineMemberships('User.organizations')

function defineMemberships(field: string) {
  type Variant = readonly [MembershipFilter, Permission | null | undefined]
  return defineList<MemberWithOrganization, Variant>({
    field,
    load: async (ofUserIds, page, context, [filter, permission]) => {
      const which = await whoMay(filter, permission, { ofUserIds }, context)
      return context.members.listByUserIds(ofUserIds, page, which)
    },
    count: async (ofUserIds, context, [filter, permission]) => {
      const which = await whoMay(filter, permission, { ofUserIds }, context)
      return context.members.countByUserIds(ofUserIds, which)
    },
  })
}
