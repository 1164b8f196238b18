import type { Viewer } from '../access/viewer.ts'
import { checkKey } from '../domain/limits.ts'
import type { User, UserFilter, UserOrder, UserSearch } from '../domain/user.ts'
import type { Graph } from './graph.ts'
import { connect } from './lists/connection.ts'
import { defineList, NO_PARENT } from './lists/list.ts'
import { defineOrder } from './lists/order.ts'

/** `Query.users`: everyone there is, for platform admins and services. */
export function defineUserList(graph: Graph) {
  const { builder, refs, features } = graph
  const Filter = builder.inputType('UserFilter', {
    description: 'Which users to list; every condition given must hold.',
    fields: (t) => ({
      search: t.string({
        description:
          'The beginning of any word of a name or of an e-mail address, or of a user name, in any case, for example `lovel`, `ada lov` or `@example`; blank is no condition. Services without `identity:pii` do not search addresses.',
      }),
      ...(features.userFields.has('role')
        ? {
            role: t.string({
              description: 'Holds this global role, for example `admin`. Needs `identity:pii`.',
            }),
          }
        : {}),
      ...(features.userFields.has('banned')
        ? {
            banned: t.boolean({
              description:
                'Whether a ban was set, also one that has run out. Needs `identity:pii`.',
            }),
          }
        : {}),
      createdAfter: t.field({
        type: 'DateTime',
        description: 'Made after this instant, for example `2026-01-31T00:00:00Z`.',
      }),
      createdBefore: t.field({
        type: 'DateTime',
        description: 'Made before this instant, for example `2026-02-01T00:00:00Z`.',
      }),
    }),
  })
  const Order = defineOrder(graph, 'User', 'users', {
    CREATED_AT: { description: 'When the account was made.' },
    NAME: { description: 'The name, as the database sorts text.' },
    EMAIL: { description: 'The e-mail address. Needs `identity:pii`.' },
  })
  const Connection = builder.connectionObject(
    { type: refs.User, name: 'UserConnection', description: 'A page of users.' },
    { name: 'UserEdge', description: 'A user at their place in the list.' },
  )

  builder.queryField('users', (t) =>
    t.field({
      type: Connection,
      nullable: true,
      description: 'All users, the oldest account first. For platform admins and services.',
      args: {
        ...t.arg.connectionArgs(),
        filter: t.arg({ type: Filter, description: 'Which ones.' }),
        orderBy: t.arg({ type: Order, description: 'In another order.' }),
      },
      resolve: async (_root, { filter, orderBy, ...args }, context, info) => {
        await context.viewer.requireList('users')
        const { search, role, banned, createdAfter, createdBefore } = filter ?? {}
        // What a caller may not see, they may not filter by either: the answers would tell.
        if (role != null || banned != null) context.viewer.requireScope('identity:pii')
        const which: UserFilter = {
          search: toSearch(search, ['name', 'username'], context.viewer),
          role: role == null ? undefined : checkKey(role, 'role'),
          banned: banned ?? undefined,
          createdAfter: createdAfter ?? undefined,
          createdBefore: createdBefore ?? undefined,
        }
        const order: UserOrder = orderBy ?? { field: 'CREATED_AT', direction: 'ASC' }
        if (order.field === 'EMAIL') context.viewer.requireScope('identity:pii')
        return connect(context, args, allUsers, { variant: [which, order], by: order.field, info })
      },
    }),
  )
}

const allUsers = defineList<User, readonly [UserFilter, UserOrder]>({
  field: 'Query.users',
  load: async (_, page, { users }, [which, order]) =>
    new Map([[NO_PARENT, await users.list(page, which, order)]]),
  count: async (_, { users }, [which]) => new Map([[NO_PARENT, await users.count(which)]]),
})

/**
 * Blank is as if nothing were searched for, as a box is before anybody types. Whoever does not see addresses does not
 * search them either.
 */
export function toSearch(
  given: string | null | undefined,
  fields: UserSearch['in'],
  viewer: Viewer,
): UserSearch | undefined {
  const prefix = given?.trim()
  if (!prefix) return undefined
  return {
    prefix: checkKey(prefix, 'search'),
    in: viewer.searchesAddresses() ? [...fields, 'email'] : fields,
  }
}
