import {
  type Consistency,
  type Grant,
  type OrganizationsAsked,
  type Permission,
  pairKey,
  type Subject,
} from '../domain/permission.ts'
import type { InputFieldBuilder } from './builder.ts'
import type { Context } from './context.ts'
import type { Graph } from './graph.ts'
import { defineLoader } from './loaders.ts'

/** What members, and the viewer among them, may do: fields of entities that the caller has reached. */
export function defineGrant({ builder, refs }: Graph) {
  const { consistencyArgument, permissionArgument } = refs
  builder.objectFields(refs.Organization, (t) => ({
    viewerPermissions: t.field({
      type: ['Permission'],
      nullable: true,
      description: 'What the user who calls may do here, sorted; empty for services.',
      args: consistencyArgument,
      resolve: async ({ id }, { consistency }, context) =>
        (await viewerGrant(id, consistency, context))?.permissions ?? [],
    }),
    viewerCan: t.boolean({
      nullable: true,
      description: 'Whether the user who calls may do this here; false for services.',
      args: { ...permissionArgument, ...consistencyArgument },
      resolve: async ({ id }, { permission, consistency }, context) =>
        allows(await viewerGrant(id, consistency, context), permission, context),
    }),
  }))
  builder.objectFields(refs.Member, (t) => ({
    permissions: t.field({
      type: ['Permission'],
      nullable: true,
      description: 'What the member may do in the organization, sorted.',
      args: consistencyArgument,
      resolve: async (member, { consistency }, context) =>
        (await grantOf(member, consistency, context)).permissions,
    }),
    can: t.boolean({
      nullable: true,
      description: 'Whether the member may do this in the organization.',
      args: { ...permissionArgument, ...consistencyArgument },
      resolve: async (member, { permission, consistency }, context) =>
        allows(await grantOf(member, consistency, context), permission, context),
    }),
  }))
}

/** What somebody may do, asked for together and at most once in a request. */
export function grantOf(
  { userId, organizationId }: Subject,
  consistency: Consistency,
  context: Context,
): Promise<Grant> {
  return grants(context, consistency).load({ userId, organizationId })
}

/** What the user who calls may do; `null` when no user does. */
export async function viewerGrant(
  organizationId: string,
  consistency: Consistency,
  context: Context,
): Promise<Grant | null> {
  const { userId } = context.viewer
  return userId === null ? null : grants(context, consistency).load({ userId, organizationId })
}

/** Conditions on memberships by what is held through them. */
export function heldInputs(t: InputFieldBuilder) {
  return {
    roles: t.stringList({
      description: 'Holds at least one of these roles, for example `admin`; at most 100.',
    }),
    permission: t.field({
      type: 'Permission',
      description:
        'Has this permission in the organization, as of now, for example `leave:approve`.',
    }),
  }
}

/** A filter by what members may do is one by the roles that grant it now. */
export async function whoMay<Filter extends { readonly grantedBy?: unknown }>(
  filter: Filter,
  permission: Permission | null | undefined,
  organizations: OrganizationsAsked,
  context: Context,
): Promise<Filter> {
  if (permission == null) return filter
  noteUndefined(permission, context)
  const grantedBy = await context.permissions.findGrantingRoles(permission, organizations)
  return { ...filter, grantedBy }
}

export function allows(
  grant: Grant | null,
  permission: Permission,
  context: Pick<Context, 'permissions' | 'undefinedPermissions'>,
): boolean {
  if (grant?.permissions.includes(permission)) return true
  noteUndefined(permission, context)
  return false
}

/** Has the answer tell of a permission that nobody can have, which is as a rule misspelt. */
function noteUndefined(
  permission: Permission,
  { permissions, undefinedPermissions }: Pick<Context, 'permissions' | 'undefinedPermissions'>,
): void {
  if (permissions.isDefined(permission) === false) undefinedPermissions.add(permission)
}

const grants = defineLoader(
  (subjects: readonly Subject[], { permissions }, consistency: Consistency) =>
    permissions.resolve(subjects, consistency),
  { cacheKeyFn: pairKey, maxBatchSize: 1000 },
)
