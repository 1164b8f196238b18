import type { OrganizationRole } from '../domain/permission.ts'
import { viewerGrant } from './grant.ts'
import type { Graph } from './graph.ts'
import { defineLoader } from './loaders.ts'

export function defineOrganizationRole({ builder, refs }: Graph) {
  const RoleSource = builder.enumType('RoleSource', {
    description: 'Where a role is defined.',
    values: {
      STATIC: { description: "In Better Auth's configuration, the same in every organization." },
      DYNAMIC: { description: 'In the database, for this organization.' },
      BOTH: { description: 'In both, which together say what it grants.' },
    } as const,
  })
  const Role = builder.objectRef<OrganizationRole>('OrganizationRole').implement({
    description: 'A role that members of an organization can hold.',
    fields: (t) => ({
      name: t.exposeString('name', { description: 'Its name, as in `Member.roles`.' }),
      permissions: t.expose('permissions', {
        type: ['Permission'],
        description: 'What it grants, sorted.',
      }),
      source: t.expose('source', { type: RoleSource, description: 'Where it is defined.' }),
    }),
  })
  builder.objectField(refs.Organization, 'roles', (t) =>
    t.field({
      type: [Role],
      nullable: true,
      description: 'The roles members can hold, by name. For holders of `ac:read`.',
      resolve: async ({ id }, _args, context) => {
        context.viewer.requireOrganizationField('roles', await viewerGrant(id, 'FRESH', context))
        return rolesOfOrganization(context).load(id)
      },
    }),
  )
  return { RoleSource }
}

const rolesOfOrganization = defineLoader(async (ids: readonly string[], { permissions }) => {
  const roles = await permissions.describeRoles(ids)
  return ids.map((id) => roles.get(id) ?? [])
})
