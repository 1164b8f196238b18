import { GatewayError } from '../domain/errors.ts'
import { CHECK, checkKey, checkLength, MOST_CHECKS, MOST_KEYS } from '../domain/limits.ts'
import type { Consistency, Grant, Permission, Subject } from '../domain/permission.ts'
import { type Context, inTurn } from './context.ts'
import { allows, grantOf, viewerGrant } from './grant.ts'
import type { Graph } from './graph.ts'

/** The doors for questions about permissions: `can`, and `checkPermissions` for many at once. */
export function definePermissionChecks({ builder, refs }: Graph) {
  const Source = builder.enumType('DecisionSource', {
    description: 'Where a decision came from.',
    values: {
      CACHE: { description: 'The permission cache.' },
      DATABASE: { description: 'The members table.' },
    } as const,
  })
  const PermissionDecision = builder.objectRef<Decision>('PermissionDecision').implement({
    description: 'The answer to one question about permissions, and what it rests on.',
    fields: (t) => ({
      allowed: t.exposeBoolean('allowed', { description: 'The answer.' }),
      permission: t.expose('permission', { type: 'Permission', description: 'As asked.' }),
      organizationId: t.exposeID('organizationId', { description: 'As asked.' }),
      userId: t.exposeID('userId', { description: 'As asked, or the user who calls.' }),
      roles: t.exposeStringList('roles', {
        description: 'The roles the answer rests on; empty for a non-member.',
      }),
      source: t.expose('source', { type: Source, description: 'Where the answer came from.' }),
      resolvedAt: t.expose('resolvedAt', {
        type: 'DateTime',
        description: 'When the members table was read, by its own clock.',
      }),
      ageSeconds: t.exposeFloat('ageSeconds', { description: 'How long ago that was.' }),
    }),
  })
  const Check = builder.inputType(CHECK, {
    description: 'A question about permissions.',
    fields: (t) => ({
      permission: t.field({
        type: 'Permission',
        required: true,
        description: 'For example `leave:approve`.',
      }),
      organizationId: t.id({ required: true, description: 'In this organization.' }),
      userId: t.id({
        description: 'This user; the caller when left out. Services must give it.',
      }),
    }),
  })

  builder.queryFields((t) => ({
    can: t.boolean({
      nullable: true,
      description:
        'Whether a user may do something in an organization, as Better Auth answers it. About others: only in organizations the caller belongs to, else false.',
      args: {
        ...refs.permissionArgument,
        ...refs.subjectArguments,
        ...refs.consistencyArgument,
      },
      resolve: async (_root, { consistency, ...check }, context) =>
        (await decide(check, consistency, context)).allowed,
    }),
    checkPermissions: t.field({
      type: [PermissionDecision],
      nullable: true,
      description:
        'Many questions at once, answered in their order: one round trip to the cache and at most one SQL statement.',
      args: {
        checks: t.arg({
          type: [Check],
          required: true,
          description:
            'The questions, at most 300, about at most 100 different people in organizations: what is asked of the same one counts once.',
        }),
        ...refs.consistencyArgument,
      },
      resolve: async (_root, { checks, consistency }, context) => {
        context.viewer.requireScope('permissions:check')
        checkLength(checks, 'checks', MOST_CHECKS)
        checkSubjects(checks)
        const asked = await inTurn(context, checks)
        return Promise.all(asked.map((check) => decide(check, consistency, context)))
      },
    }),
  }))
  return { PermissionDecision }
}

/** The answer to one question, and what it rests on. */
export type Decision = Awaited<ReturnType<typeof decide>>

/** In seconds. The database's clock may be a little ahead of ours. */
export function ageOf(resolvedAt: Date): number {
  return Math.max(0, Date.now() - resolvedAt.getTime()) / 1000
}

/** @throws GatewayError BAD_USER_INPUT when they are about more people than are looked up at once. */
function checkSubjects(checks: readonly PermissionCheck[]): void {
  const subjects = new Set(
    checks.map(({ userId, organizationId }) => JSON.stringify([organizationId, userId ?? null])),
  )
  if (subjects.size > MOST_KEYS)
    throw new GatewayError(
      'BAD_USER_INPUT',
      `checks are about at most ${MOST_KEYS} different people in organizations.`,
    )
}

export interface PermissionCheck {
  readonly permission: Permission
  readonly organizationId: string
  readonly userId?: string | null | undefined
}

/**
 * What the caller is not told about others is as if the other were not a member. About oneself, the answer's own bound
 * holds for the account as well.
 */
export async function decide(
  { permission, ...check }: PermissionCheck,
  consistency: Consistency,
  context: Context,
) {
  const { viewer } = context
  viewer.requireScope('permissions:check')
  const organizationId = checkKey(check.organizationId, 'organizationId')
  const userId = check.userId ?? viewer.userId
  if (userId === null)
    throw new GatewayError('BAD_USER_INPUT', 'userId is required when a service asks.')
  const told = await findTold({ userId, organizationId }, consistency, context)
  return {
    allowed: allows(told.grant, permission, context),
    permission,
    organizationId,
    userId,
    roles: told.grant?.roles ?? [],
    source: told.source,
    resolvedAt: told.resolvedAt,
    ageSeconds: ageOf(told.resolvedAt),
  }
}

/** What the caller is told of what somebody may do. */
export interface Told extends Pick<Grant, 'source' | 'resolvedAt'> {
  /** `null`: nothing, as of a stranger. */
  readonly grant: Grant | null
}

/** @throws GatewayError UNAUTHENTICATED about oneself, when one's account is not active */
export async function findTold(
  { userId, organizationId }: Subject,
  consistency: Consistency,
  context: Context,
): Promise<Told> {
  const { viewer } = context
  const subject = { userId: checkKey(userId, 'userId'), organizationId }
  const [grant, own, isTold] = await Promise.all([
    grantOf(subject, consistency, context),
    viewerGrant(organizationId, consistency, context),
    viewer.seesPermissionsOf(subject),
  ])
  if (userId === viewer.userId && !grant.active)
    throw new GatewayError('UNAUTHENTICATED', 'This account is not active.')
  const { source, resolvedAt } = isTold ? grant : (own ?? untold())
  return { grant: isTold ? grant : null, source, resolvedAt }
}

/** In place of what an answer rests on: how long one is remembered would tell members from strangers. */
function untold(): Pick<Grant, 'source' | 'resolvedAt'> {
  return { source: 'DATABASE', resolvedAt: new Date() }
}
