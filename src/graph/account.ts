import type { Account } from '../domain/account.ts'
import type { Graph } from './graph.ts'
import { ownedBy } from './loaders.ts'

export function defineAccount({ builder, refs }: Graph) {
  const Account = builder.objectRef<Account>('Account').implement({
    description: 'A way in which a user signs in, without its secrets.',
    fields: (t) => ({
      id: t.exposeID('id', { description: "Better Auth's own id." }),
      providerId: t.exposeString('providerId', {
        description: 'The provider, for example `google`; `credential` for a password.',
      }),
      accountId: t.exposeString('accountId', { description: "The user's id at the provider." }),
      scopes: t.exposeStringList('scopes', {
        description: 'What the provider was asked to allow.',
      }),
      createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When it was linked.' }),
      updatedAt: t.expose('updatedAt', {
        type: 'DateTime',
        description: 'When it was last changed.',
      }),
    }),
  })
  builder.objectField(refs.User, 'accounts', (t) =>
    t.field({
      type: [Account],
      nullable: true,
      description: 'The ways in which the user signs in, the oldest first.',
      resolve: async (user, _args, context) => {
        await context.viewer.requireUserField(user, 'accounts')
        return accountsOfUser(context).load(user.id)
      },
    }),
  )
  builder.objectField(refs.User, 'hasPassword', (t) =>
    t.boolean({
      nullable: true,
      description:
        'Whether the user can sign in with a password: one of `accounts` is `credential`.',
      resolve: async (user, _args, context) => {
        await context.viewer.requireUserField(user, 'hasPassword')
        const accounts = await accountsOfUser(context).load(user.id)
        return accounts?.some(({ providerId }) => providerId === 'credential') ?? false
      },
    }),
  )
}

const accountsOfUser = ownedBy(
  (userIds, { accounts }) => accounts.findByUserIds(userIds),
  ({ userId }) => userId,
)
