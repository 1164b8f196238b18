import type { Passkey } from '../../domain/plugins.ts'
import type { Graph } from '../graph.ts'
import { ownedBy } from '../loaders.ts'

export function definePasskey({ builder, refs }: Graph) {
  const Passkey = builder.objectRef<Passkey>('Passkey').implement({
    description: 'A passkey with which a user signs in, without its key.',
    fields: (t) => ({
      id: t.exposeID('id', { description: "Better Auth's own id." }),
      name: t.exposeString('name', { nullable: true, description: 'What the user calls it.' }),
      deviceType: t.exposeString('deviceType', {
        description: '`multiDevice` when it can be on several devices, else `singleDevice`.',
      }),
      backedUp: t.exposeBoolean('backedUp', {
        description: 'Whether it is kept beyond the device, for example in an account there.',
      }),
      createdAt: t.expose('createdAt', {
        type: 'DateTime',
        nullable: true,
        description: 'When it was made.',
      }),
      aaguid: t.exposeString('aaguid', {
        nullable: true,
        description: 'The model of authenticator that holds it, as its maker numbers them.',
      }),
    }),
  })
  builder.objectField(refs.User, 'passkeys', (t) =>
    t.field({
      type: [Passkey],
      nullable: true,
      description: 'The passkeys of the user, the oldest first. For themself alone.',
      resolve: async (user, _args, context) => {
        await context.viewer.requireUserField(user, 'passkeys')
        return passkeysOfUser(context).load(user.id)
      },
    }),
  )
}

const passkeysOfUser = ownedBy(
  (userIds, { passkeys }) => passkeys.findByUserIds(userIds),
  ({ userId }) => userId,
)
