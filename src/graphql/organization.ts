import { checkKey } from '../domain/id.ts'
import type { Organization } from '../domain/organization.ts'
import type { Context } from './context.ts'
import { checkKeys } from './keys.ts'
import { loaderOf } from './loaders.ts'
import type { Graph } from './schema.ts'

export function defineOrganization({ builder, refs }: Graph) {
  builder.objectType(refs.Organization, {
    description: 'An organization of Better Auth. A user sees those they are a member of.',
    fields: (t) => ({
      id: t.exposeID('id', { description: "Better Auth's own id." }),
      name: t.exposeString('name', { description: 'The name to show.' }),
      slug: t.exposeString('slug', { description: 'The unique name for addresses.' }),
      logo: t.exposeString('logo', { nullable: true, description: 'Address of a picture.' }),
      metadata: t.field({
        type: 'JSON',
        nullable: true,
        description: 'What the application keeps beside the organization.',
        resolve: ({ metadata }) => metadata,
      }),
      createdAt: t.expose('createdAt', {
        type: 'DateTime',
        description: 'When the organization was made.',
      }),
    }),
  })

  const visible = async (id: string, context: Context): Promise<Organization | null> => {
    const [sees, organization] = await Promise.all([
      context.doors.seesOrganization(id),
      refs.Organization.getDataloader(context).load(id),
    ])
    return sees ? organization : null
  }

  builder.queryFields((t) => ({
    organization: t.field({
      type: refs.Organization,
      nullable: true,
      description: 'An organization by id; null when there is none, or none the caller may see.',
      args: {
        id: t.arg.id({ required: true, description: "Better Auth's id of the organization." }),
      },
      resolve: (_root, { id }, context) => {
        context.doors.enter('identity:read')
        return visible(checkKey(id, 'id'), context)
      },
    }),
    organizationBySlug: t.field({
      type: refs.Organization,
      nullable: true,
      description: 'An organization by slug; null when there is none, or none the caller may see.',
      args: { slug: t.arg.string({ required: true, description: 'The slug, exactly.' }) },
      resolve: async (_root, { slug }, context) => {
        context.doors.enter('identity:read')
        const organization = await bySlug(context).load(checkKey(slug, 'slug'))
        return (await context.doors.seesOrganization(organization?.id ?? null))
          ? organization
          : null
      },
    }),
    organizationsByIds: t.field({
      type: [refs.Organization],
      nullable: { list: false, items: true },
      description:
        'Organizations in the order of their ids, with null in the place of those that do not exist or that the caller may not see.',
      args: {
        ids: t.arg.idList({ required: true, description: "At most 100 of Better Auth's ids." }),
      },
      resolve: (_root, { ids }, context) => {
        context.doors.enter('identity:read')
        return checkKeys(ids, 'ids').map((id) => visible(id, context))
      },
    }),
  }))
}

function bySlug(context: Context) {
  return loaderOf<string, Organization | null>(context, 'organizationBySlug', async (slugs) => {
    const organizations = await context.organizations.findBySlugs(slugs)
    const found = new Map(organizations.map((organization) => [organization.slug, organization]))
    return (slug) => found.get(slug) ?? null
  })
}
