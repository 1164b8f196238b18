import { checkKey, checkKeys } from '../domain/limits.ts'
import type { MemberFilter, MemberOrder, MemberWithUser } from '../domain/member.ts'
import { type Permission, pairKey, type Subject } from '../domain/permission.ts'
import type { UserSummary } from '../domain/user.ts'
import { type Context, enterEach } from './context.ts'
import { heldInputs, whoMay } from './grant.ts'
import type { Graph } from './graph.ts'
import { connect } from './lists/connection.ts'
import { defineList, OF_LISTED_PEOPLE } from './lists/list.ts'
import { defineOrder } from './lists/order.ts'
import { byId, defineLoader } from './loaders.ts'
import { type MemberShown, type UserShown, usersById } from './refs.ts'
import { toSearch } from './user-list.ts'

export function defineMember(graph: Graph) {
  const { builder, refs } = graph
  builder.objectType(refs.Member, {
    description: "One person's membership in one organization.",
    fields: (t) => ({
      id: t.exposeID('id', { description: "Better Auth's own id of the membership." }),
      roles: t.exposeStringList('roles', {
        description: 'Names of the roles held, in the order Better Auth keeps them.',
      }),
      createdAt: t.expose('createdAt', {
        type: 'DateTime',
        description: 'When the person joined.',
      }),
      user: t.field({
        type: refs.User,
        description: 'The person.',
        resolve: (member, _args, context) => userOfMember(member, context),
      }),
      organization: t.field({
        type: refs.Organization,
        description: 'The organization.',
        resolve: ({ organization, organizationId }) => organization ?? organizationId,
      }),
    }),
  })
  builder.queryField('membersByIds', (t) =>
    t.field({
      type: [refs.Member],
      nullable: { list: true, items: true },
      description:
        'Memberships in the order of their ids, with null in the place of those that do not exist or that are in an organization the caller may not see.',
      args: {
        ids: t.arg.idList({
          required: true,
          description: "At most 100 of Better Auth's ids of memberships.",
        }),
      },
      resolve: (_root, { ids }, context) =>
        enterEach(context, 'identity:read', { keys: ids, name: 'ids' }, memberById),
    }),
  )
  defineMembersOfOrganization(graph)
}

function defineMembersOfOrganization(graph: Graph) {
  const { builder, refs } = graph
  const Filter = builder.inputType('MemberFilter', {
    description: 'Which members to list; every condition given must hold.',
    fields: (t) => ({
      ...heldInputs(t),
      search: t.string({
        description:
          'The beginning of any word of a name or of an e-mail address, in any case, for example `lovel`, `ada lov` or `@example`; blank is no condition. Services without `identity:pii` do not search addresses.',
      }),
      userIds: t.idList({ description: 'Is one of these users; at most 100.' }),
    }),
  })
  const Order = defineOrder(graph, 'Member', 'members', {
    CREATED_AT: { description: 'When they joined.' },
    USER_NAME: { description: `The name of the person, as the database sorts text. ${SORTED}` },
    USER_EMAIL: {
      description: `The e-mail address of the person. Needs \`identity:pii\`. ${SORTED}`,
    },
    ROLE: {
      description: `The roles, as the database sorts the text that Better Auth keeps them in. ${SORTED}`,
    },
  })

  builder.objectFields(refs.Organization, (t) => ({
    members: t.field({
      type: refs.MemberConnection,
      nullable: true,
      description: 'The members, the oldest membership first.',
      args: {
        ...t.arg.connectionArgs(),
        filter: t.arg({ type: Filter, description: 'Which ones.' }),
        orderBy: t.arg({ type: Order, description: 'In another order.' }),
      },
      resolve: ({ id }, { filter, orderBy, ...args }, context, info) => {
        const { roles, userIds, search, permission } = filter ?? {}
        const which: MemberFilter = {
          roles: roles == null ? undefined : checkKeys(roles, 'roles'),
          userIds: userIds == null ? undefined : checkKeys(userIds, 'userIds'),
          search: toSearch(search, ['name'], context.viewer),
        }
        const order: MemberOrder = orderBy ?? { field: 'CREATED_AT', direction: 'ASC' }
        // What a caller may not see, they may not order by either: the answers would tell.
        if (order.field === 'USER_EMAIL') context.viewer.requireScope('identity:pii')
        return connect(context, args, membersOfOrganization, {
          parentId: id,
          variant: [which, permission, order],
          by: order.field,
          info,
        })
      },
    }),
    member: t.field({
      type: refs.Member,
      nullable: true,
      description: 'The membership of one person; null when they are not a member.',
      args: { userId: t.arg.id({ required: true, description: "Better Auth's id of the user." }) },
      resolve: ({ id }, { userId }, context) =>
        membersByPair(context).load({ userId: checkKey(userId, 'userId'), organizationId: id }),
    }),
    viewerMembership: t.field({
      type: refs.Member,
      nullable: true,
      description: 'The membership of the user who calls; null for services.',
      resolve: ({ id }, _args, context) => {
        const { userId } = context.viewer
        return userId === null ? null : membersByPair(context).load({ userId, organizationId: id })
      },
    }),
  }))
}

const SORTED =
  'Refused with LIMIT_EXCEEDED where too many would have to be sorted: narrow the list with `filter`, or order it by `CREATED_AT`.'

/** Whoever is reached as a member shares an organization with the user who reached them, and need not be asked about. */
function userOfMember({ user, userId }: MemberShown, context: Context) {
  if (user) return new CoMember(user)
  // Of somebody who has been deleted meanwhile, the id leads nowhere.
  return usersById(context)
    .load(userId)
    .then((found) => (found ? new CoMember(found) : userId))
}

class CoMember implements UserShown {
  readonly coMember = true
  readonly #user: UserSummary

  constructor(user: UserSummary) {
    this.#user = user
  }

  get id() {
    return this.#user.id
  }

  get name() {
    return this.#user.name
  }

  get image() {
    return this.#user.image
  }

  get email() {
    return this.#user.email
  }
}

/** The door to one membership. `null`: there is none, or none in an organization the caller may see. */
export async function memberById(context: Context, id: string): Promise<MemberShown | null> {
  context.viewer.requireScope('identity:read')
  const member = await membersById(context).load(checkKey(id, 'id'))
  return (await context.viewer.seesOrganization(member?.organizationId ?? null)) ? member : null
}

/** The same door, by what services store of a membership: whose it is, and where. */
export async function memberByPair(
  context: Context,
  { userId, organizationId }: Subject,
): Promise<MemberShown | null> {
  context.viewer.requireScope('identity:read')
  const pair = {
    userId: checkKey(userId, 'user.id'),
    organizationId: checkKey(organizationId, 'organization.id'),
  }
  const [sees, member] = await Promise.all([
    context.viewer.seesOrganization(organizationId),
    membersByPair(context).load(pair),
  ])
  return sees ? member : null
}

const membersById = byId<MemberShown>((ids, { members }) => members.findByIds(ids))

const membersByPair = defineLoader<Subject, MemberShown | null>(
  async (pairs, { members }) => {
    const found = new Map((await members.findByPairs(pairs)).map((one) => [pairKey(one), one]))
    return pairs.map((pair) => found.get(pairKey(pair)) ?? null)
  },
  { cacheKeyFn: pairKey },
)

type Variant = readonly [MemberFilter, Permission | null | undefined, MemberOrder]

export const membersOfOrganization = defineList<MemberWithUser, Variant>({
  field: 'Organization.members',
  neededBy: OF_LISTED_PEOPLE,
  load: async (organizationIds, page, context, [filter, permission, order]) => {
    const which = await whoMay(filter, permission, { organizationIds }, context)
    return context.members.listByOrganizationIds(organizationIds, page, which, order)
  },
  count: async (organizationIds, context, [filter, permission]) => {
    const which = await whoMay(filter, permission, { organizationIds }, context)
    return context.members.countByOrganizationIds(organizationIds, which)
  },
})
