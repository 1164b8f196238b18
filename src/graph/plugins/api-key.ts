import type { ApiKey } from '../../domain/plugins.ts'
import { viewerGrant } from '../grant.ts'
import type { Graph } from '../graph.ts'
import { ownedBy } from '../loaders.ts'

export function defineApiKey({ builder, refs, features }: Graph) {
  const ApiKey = builder.objectRef<ApiKey>('ApiKey').implement({
    description: 'An API key of a user or an organization, without the key.',
    fields: (t) => ({
      id: t.exposeID('id', { description: "Better Auth's own id." }),
      configId: t.exposeString('configId', {
        nullable: true,
        description: 'The configuration of the plug-in under which it was made.',
      }),
      name: t.exposeString('name', { nullable: true, description: 'What its owner calls it.' }),
      start: t.exposeString('start', {
        nullable: true,
        description: 'The first characters of the key, to tell it from others.',
      }),
      prefix: t.exposeString('prefix', {
        nullable: true,
        description: 'What stands before the key, for example `acme_`.',
      }),
      enabled: t.exposeBoolean('enabled', {
        nullable: true,
        description: 'Whether it is accepted; null is yes.',
      }),
      expiresAt: t.expose('expiresAt', {
        type: 'DateTime',
        nullable: true,
        description: 'When it ends; null when it does not.',
      }),
      lastUsedAt: t.expose('lastUsedAt', {
        type: 'DateTime',
        nullable: true,
        description: 'When Better Auth last verified it.',
      }),
      remaining: t.exposeInt('remaining', {
        nullable: true,
        description: 'How often it can still be used; null when that is not counted.',
      }),
      permissions: t.expose('permissions', {
        type: 'JSON',
        nullable: true,
        description: 'What it may do: names of actions by that of the resource.',
      }),
      createdAt: t.expose('createdAt', {
        type: 'DateTime',
        nullable: true,
        description: 'When it was made.',
      }),
    }),
  })
  builder.objectField(refs.User, 'apiKeys', (t) =>
    t.field({
      type: [ApiKey],
      nullable: true,
      description:
        'The API keys of the user, the oldest first. For themself alone; null where nothing says which are users’.',
      resolve: async (user, _args, context) => {
        await context.viewer.requireUserField(user, 'apiKeys')
        return keysOfUser(context).load(user.id)
      },
    }),
  )
  if (!features.organizations) return
  builder.objectField(refs.Organization, 'apiKeys', (t) =>
    t.field({
      type: [ApiKey],
      nullable: true,
      description:
        'The API keys of the organization, the oldest first. For holders of `apiKey:read` and of the creator role; null where nothing says which are organizations’.',
      resolve: async ({ id }, _args, context) => {
        context.viewer.requireOrganizationField('apiKeys', await viewerGrant(id, 'FRESH', context))
        return keysOfOrganization(context).load(id)
      },
    }),
  )
}

const keysOfUser = ownedBy(
  (userIds, { apiKeys }) => apiKeys.findByUserIds(userIds),
  ({ ownerId }) => ownerId,
)
const keysOfOrganization = ownedBy(
  (organizationIds, { apiKeys }) => apiKeys.findByOrganizationIds(organizationIds),
  ({ ownerId }) => ownerId,
)
