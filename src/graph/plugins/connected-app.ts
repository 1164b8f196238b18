import type { ConnectedApp } from '../../domain/plugins.ts'
import type { Graph } from '../graph.ts'
import { ownedBy } from '../loaders.ts'

export function defineConnectedApp({ builder, refs }: Graph) {
  const ConnectedApp = builder.objectRef<ConnectedApp>('ConnectedApp').implement({
    description: 'An app to which a user has consented.',
    fields: (t) => ({
      id: t.exposeID('id', { description: "Better Auth's own id of the consent." }),
      clientId: t.exposeString('clientId', { description: 'What the app is known by.' }),
      name: t.exposeString('name', {
        nullable: true,
        description: 'What the app calls itself; null when it does not, or has gone.',
      }),
      uri: t.exposeString('uri', { nullable: true, description: 'The page of the app.' }),
      icon: t.exposeString('icon', { nullable: true, description: 'Address of its picture.' }),
      scopes: t.exposeStringList('scopes', { description: 'What the user consented to.' }),
      resources: t.exposeStringList('resources', {
        nullable: true,
        description: 'Where the app may go with it; null when none were named.',
      }),
      createdAt: t.expose('createdAt', {
        type: 'DateTime',
        nullable: true,
        description: 'When the user consented.',
      }),
    }),
  })
  builder.objectField(refs.User, 'connectedApps', (t) =>
    t.field({
      type: [ConnectedApp],
      nullable: true,
      description:
        'The apps to which the user has consented, the oldest first. For themself alone.',
      resolve: async (user, _args, context) => {
        await context.viewer.requireUserField(user, 'connectedApps')
        return appsOfUser(context).load(user.id)
      },
    }),
  )
}

const appsOfUser = ownedBy(
  (userIds, { connectedApps }) => connectedApps.findByUserIds(userIds),
  ({ userId }) => userId,
)
