import { GatewayError } from '../domain/errors.ts'
import {
  type ExplainedRole,
  type Explanation,
  explain,
  explainStranger,
  type HeldRoles,
} from '../domain/explanation.ts'
import { type Consistency, pairKey, type Subject } from '../domain/permission.ts'
import type { Context } from './context.ts'
import { viewerGrant } from './grant.ts'
import type { Graph } from './graph.ts'
import { defineLoader } from './loaders.ts'
import type { defineOrganizationRole } from './organization-role.ts'
import {
  type Decision,
  decide,
  type definePermissionChecks,
  type PermissionCheck,
} from './permission.ts'

/** The door for why a question about permissions is answered as it is. */
export function defineExplanation(
  { builder, refs }: Graph,
  types: ReturnType<typeof definePermissionChecks> & ReturnType<typeof defineOrganizationRole>,
) {
  const Reason = builder.enumType('PermissionReason', {
    description: 'Why a permission is granted or not.',
    values: {
      GRANTED: { description: 'A role held grants it; of several member rows, one in each.' },
      NOT_A_MEMBER: {
        description: 'Not a member, or somebody of whom the caller is told nothing.',
      },
      NOT_ACTIVE: { description: 'A member whose account is banned.' },
      NOT_GRANTED: { description: 'No role held grants it.' },
      NOT_IN_EVERY_ROW: {
        description:
          'Better Auth keeps several member rows of this person here, and not all have a role that grants it.',
      },
    } as const,
  })
  const HeldRole = builder
    .objectRef<ExplainedRole & Pick<Explained, 'requireGrants'>>('ExplainedRole')
    .implement({
      description: 'A role that is held, and what it has to do with the permission.',
      fields: (t) => ({
        name: t.exposeString('name', { description: 'Its name, as in `Member.roles`.' }),
        grants: t.exposeBoolean('grants', { description: 'Whether it grants the permission.' }),
        source: t.expose('source', {
          type: types.RoleSource,
          nullable: true,
          description: 'Where it is defined; null: nowhere, so that it grants nothing.',
        }),
        row: t.exposeInt('row', {
          description: 'Which of the member rows names it, counted from 1.',
        }),
        permissions: t.field({
          type: ['Permission'],
          nullable: true,
          description: 'All that it grants, sorted. For holders of `ac:read`.',
          resolve: async ({ permissions, requireGrants }) => {
            await requireGrants()
            return permissions
          },
        }),
      }),
    })
  const Explanation = builder.objectRef<Explained>('PermissionExplanation').implement({
    description:
      'Why a permission is granted or not: what `can` answers, and what follows from what the database says now.',
    fields: (t) => ({
      decision: t.field({
        type: types.PermissionDecision,
        description:
          'What `can` answers, with its source and age. Where it differs from `allowed`, it is older.',
        resolve: ({ decision }) => decision,
      }),
      allowed: t.exposeBoolean('allowed', { description: 'What follows from all below.' }),
      reason: t.expose('reason', { type: Reason, description: 'Why, in a word.' }),
      member: t.exposeBoolean('member', {
        description: 'Whether they are a member of the organization.',
      }),
      active: t.exposeBoolean('active', {
        nullable: true,
        description:
          'Whether their account may be used, and is not banned; null for whoever is no member.',
      }),
      rows: t.exposeInt('rows', {
        description: 'How many member rows they have here: one as a rule.',
      }),
      roles: t.field({
        type: [HeldRole],
        description: 'Every role held, in the order Better Auth keeps them.',
        resolve: ({ roles, requireGrants }) => roles.map((role) => ({ ...role, requireGrants })),
      }),
      grantedBy: t.exposeStringList('grantedBy', {
        description: 'The roles held that grant it: without them it is refused.',
      }),
      grantingRoles: t.stringList({
        nullable: true,
        description: 'Every role of the organization that grants it. For holders of `ac:read`.',
        resolve: async ({ grantingRoles, requireGrants }) => {
          await requireGrants()
          return grantingRoles
        },
      }),
      readAt: t.expose('readAt', {
        type: 'DateTime',
        description: 'When this was read, by the clock of the database.',
      }),
    }),
  })

  builder.queryField('explainPermission', (t) =>
    t.field({
      type: Explanation,
      nullable: true,
      description:
        'Why a user may do something in an organization or may not: their roles, what each grants, and what would. For whom `can` is answered; it costs a read of the database.',
      args: {
        ...refs.permissionArgument,
        ...refs.subjectArguments,
        ...refs.consistencyArgument,
      },
      resolve: (_root, { consistency, ...check }, context) =>
        explainDecision(check, consistency, context),
    }),
  )
}

export interface Explained extends Explanation {
  readonly decision: Decision
  /** @throws GatewayError FORBIDDEN when the caller is not told what roles grant here. */
  readonly requireGrants: () => Promise<void>
}

/** As `decide`, with what it follows from. Of whom the caller is told nothing, what is true of a stranger. */
export async function explainDecision(
  check: PermissionCheck,
  consistency: Consistency,
  context: Context,
): Promise<Explained> {
  const { viewer } = context
  const decision = await decide(check, consistency, context)
  const [held, isTold] = await Promise.all([
    heldRoles(context).load(decision),
    viewer.seesPermissionsOf(decision),
  ])
  const explanation = isTold ? explain(held, check.permission) : explainStranger(held.readAt)
  const requireGrants = async () => {
    const own = await viewerGrant(decision.organizationId, 'FRESH', context)
    viewer.requireOrganizationField('grants', own)
    // The key of an organization is not for what roles grant elsewhere.
    if (!isTold)
      throw new GatewayError('FORBIDDEN', 'This caller is told nothing of this user here.')
  }
  return { ...explanation, decision, requireGrants }
}

const heldRoles = defineLoader<Subject, HeldRoles>(
  (subjects, { permissions }) => permissions.findHeldRoles(subjects),
  { cacheKeyFn: pairKey },
)
