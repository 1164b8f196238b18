import { GatewayError } from '../domain/errors.ts'
import { checkKey } from '../domain/id.ts'
import type { Consistency, Grant, Permission } from '../domain/permission.ts'
import type { Context } from './context.ts'
import type { Graph } from './schema.ts'

export function definePermissions({ builder, refs }: Graph) {
  const consistency = builder.args((t) => ({
    consistency: t.field({
      type: refs.Consistency,
      required: true,
      defaultValue: 'CACHED',
      description: 'How old the answer may be.',
    }),
  }))
  const question = builder.args((t) => ({
    permission: t.field({
      type: 'Permission',
      required: true,
      description: 'For example `leave:approve`.',
    }),
  }))

  builder.queryField('can', (t) =>
    t.boolean({
      description:
        'Whether a user may do something in an organization, as Better Auth answers it. About others: only in organizations the caller belongs to, else false.',
      args: {
        ...question,
        organizationId: t.arg.id({ required: true, description: 'In this organization.' }),
        userId: t.arg.id({
          description: 'This user; the caller when left out. Services must give it.',
        }),
        ...consistency,
      },
      resolve: async (_root, { organizationId, userId, ...args }, context) => {
        const about = {
          organizationId: checkKey(organizationId, 'organizationId'),
          userId: userId == null ? null : checkKey(userId, 'userId'),
        }
        return allows(await grantAtDoor(about, args.consistency, context), args.permission)
      },
    }),
  )

  builder.objectFields(refs.Organization, (t) => ({
    viewerPermissions: t.field({
      type: ['Permission'],
      description: 'What the user who calls may do here, sorted; empty for services.',
      args: consistency,
      resolve: async ({ id }, args, context) =>
        permissionsOf(await viewerGrant(id, args.consistency, context)),
    }),
    viewerCan: t.boolean({
      description: 'Whether the user who calls may do this here; false for services.',
      args: { ...question, ...consistency },
      resolve: async ({ id }, args, context) =>
        allows(await viewerGrant(id, args.consistency, context), args.permission),
    }),
  }))

  builder.objectFields(refs.Member, (t) => ({
    permissions: t.field({
      type: ['Permission'],
      description: 'What the member may do in the organization, sorted.',
      args: consistency,
      resolve: async (member, args, { grants }) =>
        permissionsOf(await grants.of(member, args.consistency)),
    }),
    can: t.boolean({
      description: 'Whether the member may do this in the organization.',
      args: { ...question, ...consistency },
      resolve: async (member, args, { grants }) =>
        allows(await grants.of(member, args.consistency), args.permission),
    }),
  }))
}

/**
 * The grant a caller may be told of; `null` when they may not: about others, a user must belong to the organization, by
 * the same cache and bound as the answer itself, or be a platform admin.
 */
async function grantAtDoor(
  about: { readonly organizationId: string; readonly userId: string | null },
  consistency: Consistency,
  context: Context,
): Promise<Grant | null> {
  const { caller, doors } = context
  doors.enter('permissions:check')
  const { organizationId } = about
  const userId = about.userId ?? (caller.kind === 'user' ? caller.userId : null)
  if (userId === null)
    throw new GatewayError('BAD_USER_INPUT', 'userId is required when a service asks.')
  const [grant, own] = await Promise.all([
    context.grants.of({ userId, organizationId }, consistency),
    viewerGrant(organizationId, consistency, context),
  ])
  if (!own) return grant
  if (!own.active) throw new GatewayError('UNAUTHENTICATED', 'This account is not active.')
  return own === grant || own.member || (await doors.isPlatformAdmin()) ? grant : null
}

/** `null` for services. */
async function viewerGrant(organizationId: string, consistency: Consistency, context: Context) {
  const { caller } = context
  return caller.kind === 'user'
    ? context.grants.of({ userId: caller.userId, organizationId }, consistency)
    : null
}

function permissionsOf(grant: Grant | null): Permission[] {
  return [...(grant?.permissions ?? [])]
}

function allows(grant: Grant | null, permission: Permission): boolean {
  return grant?.permissions.includes(permission) ?? false
}
