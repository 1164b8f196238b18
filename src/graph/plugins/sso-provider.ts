import type { SsoProvider } from '../../domain/plugins.ts'
import { viewerGrant } from '../grant.ts'
import type { Graph } from '../graph.ts'
import { ownedBy } from '../loaders.ts'

export function defineSsoProvider({ builder, refs }: Graph) {
  const SsoProvider = builder.objectRef<SsoProvider>('SsoProvider').implement({
    description: 'Where members of an organization sign in, without how.',
    fields: (t) => ({
      id: t.exposeID('id', { description: "Better Auth's own id." }),
      providerId: t.exposeString('providerId', {
        description: 'What it is called, as in `Account.providerId`.',
      }),
      issuer: t.exposeString('issuer', { description: 'Who signs what it says of people.' }),
      domain: t.exposeString('domain', {
        description: 'The domains of e-mail addresses it is for, separated by commas.',
      }),
      domainVerified: t.exposeBoolean('domainVerified', {
        nullable: true,
        description: "Whether the domain was proved to be the organization's; null: not asked for.",
      }),
    }),
  })
  builder.objectField(refs.Organization, 'ssoProviders', (t) =>
    t.field({
      type: [SsoProvider],
      nullable: true,
      description:
        'Where members sign in, by `providerId`. For holders of the role `owner` or `admin`.',
      resolve: async ({ id }, _args, context) => {
        const own = await viewerGrant(id, 'FRESH', context)
        context.viewer.requireOrganizationField('ssoProviders', own)
        return providersOfOrganization(context).load(id)
      },
    }),
  )
}

const providersOfOrganization = ownedBy(
  (organizationIds, { ssoProviders }) => ssoProviders.findByOrganizationIds(organizationIds),
  ({ organizationId }) => organizationId,
)
