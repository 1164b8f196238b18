import type { ScimUser } from '../../domain/plugins.ts'
import type { Graph } from '../graph.ts'
import { ownedBy } from '../loaders.ts'

export function defineScimUser({ builder, refs }: Graph) {
  const ScimUser = builder.objectRef<ScimUser>('ScimUser').implement({
    description: 'What a directory says of a user, which it provisions by SCIM.',
    fields: (t) => ({
      id: t.exposeID('id', { description: "Better Auth's own id." }),
      active: t.exposeBoolean('active', {
        description: 'Whether the directory counts them among its people.',
      }),
      externalId: t.exposeString('externalId', {
        nullable: true,
        description: 'What the directory knows the user by.',
      }),
      displayName: t.exposeString('displayName', { description: 'What it calls them.' }),
    }),
  })
  builder.objectField(refs.User, 'scimUsers', (t) =>
    t.field({
      type: [ScimUser],
      nullable: true,
      description:
        'What directories say of the user, the oldest first. For platform admins, not of themselves, and services with `identity:pii`.',
      resolve: async (user, _args, context) => {
        await context.viewer.requireUserField(user, 'scimUsers')
        return scimUsersOf(context).load(user.id)
      },
    }),
  )
}

const scimUsersOf = ownedBy(
  (userIds, { scimUsers }) => scimUsers.findByUserIds(userIds),
  ({ userId }) => userId,
)
