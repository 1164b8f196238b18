import { checkKey } from '../domain/limits.ts'
import type { Organization, OrganizationOrder } from '../domain/organization.ts'
import { type Context, enterEach } from './context.ts'
import type { Graph } from './graph.ts'
import { connect } from './lists/connection.ts'
import { defineList, NO_PARENT } from './lists/list.ts'
import { defineOrder } from './lists/order.ts'
import { defineLoader, inOrderOf } from './loaders.ts'
import { organizationsById } from './refs.ts'

export function defineOrganization(graph: Graph) {
  const { builder, refs } = graph
  defineOrganizationList(graph)
  builder.objectType(refs.Organization, {
    description: 'An organization of Better Auth. A user sees those they are a member of.',
    fields: (t) => ({
      id: t.exposeID('id', { description: "Better Auth's own id." }),
      name: t.exposeString('name', { description: 'The name to show.' }),
      slug: t.exposeString('slug', { description: 'The unique name for addresses.' }),
      logo: t.exposeString('logo', { nullable: true, description: 'Address of a picture.' }),
      metadata: t.expose('metadata', {
        type: 'JSON',
        nullable: true,
        description: 'What the application keeps beside the organization.',
      }),
      createdAt: t.expose('createdAt', {
        type: 'DateTime',
        description: 'When the organization was made.',
      }),
    }),
  })

  builder.queryFields((t) => ({
    organization: t.field({
      type: refs.Organization,
      nullable: true,
      description: 'An organization by id; null when there is none, or none the caller may see.',
      args: {
        id: t.arg.id({ required: true, description: "Better Auth's id of the organization." }),
      },
      resolve: (_root, { id }, context) => organizationById(context, id),
    }),
    organizationBySlug: t.field({
      type: refs.Organization,
      nullable: true,
      description: 'An organization by slug; null when there is none, or none the caller may see.',
      args: {
        slug: t.arg.string({
          required: true,
          description: 'The slug, exactly, for example `acme`.',
        }),
      },
      resolve: (_root, { slug }, context) => organizationBySlug(context, slug),
    }),
    organizationsByIds: t.field({
      type: [refs.Organization],
      nullable: { list: true, items: true },
      description:
        'Organizations in the order of their ids, with null in the place of those that do not exist or that the caller may not see.',
      args: {
        ids: t.arg.idList({ required: true, description: "At most 100 of Better Auth's ids." }),
      },
      resolve: (_root, { ids }, context) =>
        enterEach(context, 'identity:read', { keys: ids, name: 'ids' }, organizationById),
    }),
    organizationsBySlugs: t.field({
      type: [refs.Organization],
      nullable: { list: true, items: true },
      description:
        'Organizations in the order of their slugs, with null in the place of those that do not exist or that the caller may not see.',
      args: {
        slugs: t.arg.stringList({ required: true, description: 'At most 100 slugs, exactly.' }),
      },
      resolve: (_root, { slugs }, context) =>
        enterEach(context, 'identity:read', { keys: slugs, name: 'slugs' }, organizationBySlug),
    }),
  }))
}

/** The door to one organization. `null`: there is none, or none the caller may see. */
export async function organizationById(context: Context, id: string): Promise<Organization | null> {
  context.viewer.requireScope('identity:read')
  const [sees, organization] = await Promise.all([
    context.viewer.seesOrganization(checkKey(id, 'id')),
    organizationsById(context).load(id),
  ])
  return sees ? organization : null
}

/** The same door, by the exact slug. */
export async function organizationBySlug(
  context: Context,
  slug: string,
): Promise<Organization | null> {
  context.viewer.requireScope('identity:read')
  const organization = await organizationsBySlug(context).load(checkKey(slug, 'slug'))
  return (await context.viewer.seesOrganization(organization?.id ?? null)) ? organization : null
}

function defineOrganizationList(graph: Graph) {
  const { builder, refs } = graph
  const Order = defineOrder(graph, 'Organization', 'organizations', {
    CREATED_AT: { description: 'When the organization was made.' },
    NAME: { description: 'The name, as the database sorts text.' },
  })
  const Connection = builder.connectionObject(
    {
      type: refs.Organization,
      name: 'OrganizationConnection',
      description: 'A page of organizations.',
    },
    { name: 'OrganizationEdge', description: 'An organization at its place in the list.' },
  )
  builder.queryField('organizations', (t) =>
    t.field({
      type: Connection,
      nullable: true,
      description: 'All organizations, the oldest first. For services.',
      args: {
        ...t.arg.connectionArgs(),
        orderBy: t.arg({ type: Order, description: 'In another order.' }),
      },
      resolve: async (_root, { orderBy, ...args }, context, info) => {
        await context.viewer.requireList('organizations')
        const order: OrganizationOrder = orderBy ?? { field: 'CREATED_AT', direction: 'ASC' }
        return connect(context, args, allOrganizations, { variant: order, by: order.field, info })
      },
    }),
  )
}

const allOrganizations = defineList<Organization, OrganizationOrder>({
  field: 'Query.organizations',
  load: async (_, page, { organizations }, order) =>
    new Map([[NO_PARENT, await organizations.list(page, order)]]),
  count: async (_, { organizations }) => new Map([[NO_PARENT, await organizations.count()]]),
})

const organizationsBySlug = defineLoader<string, Organization | null>(
  async (slugs, { organizations }) =>
    inOrderOf(slugs, await organizations.findBySlugs(slugs), ({ slug }) => slug),
)
