import type { Decision } from '../domain/audit.ts'
import type { Member } from '../domain/member.ts'
import type { Consistency, Grant } from '../domain/permission.ts'
import { grantOf } from '../graph/grant.ts'
import { ageOf, decide } from '../graph/permission.ts'
import { type Asked, edgesOf, type Find } from './watch.ts'

type Answer = Omit<Decision, 'audit' | 'field' | 'consistency' | 'ageSeconds'> &
  Partial<Pick<Decision, 'consistency'>> &
  Pick<Grant, 'resolvedAt'>

const answers: Readonly<Record<string, Find<Answer>>> = {
  'Query.can': async ({ args, context }) => [await decide(args, args.consistency, context)],
  'Query.checkPermissions': ({ value }) => value as readonly Answer[],
  'Query.explainPermission': ({ value }) => [(value as { readonly decision: Answer }).decision],
  'Organization.viewerCan': held,
  'Organization.viewerPermissions': held,
  'Member.can': held,
  'Member.permissions': held,
  'Organization.members': listed,
  'User.memberships': listed,
  'User.organizations': listed,
}

/** Every field that tells what somebody may do. The request remembers grants, so that none is read for this. */
export const decisions: Readonly<Record<string, Find>> = Object.fromEntries(
  Object.entries(answers).map(([field, find]) => [
    field,
    async (asked: Asked) => (await find(asked)).map((answer) => toDecision(asked, answer)),
  ]),
)

function toDecision({ field, args }: Asked, answer: Answer): Decision {
  return decisionRecord(field, args.consistency, answer)
}

/** What is recorded of an answer, and nothing that only belongs to it. */
export function decisionRecord(
  field: string,
  consistency: Consistency,
  answer: Answer & { readonly roles?: unknown },
): Decision {
  const { resolvedAt, roles: _, ...told } = answer
  return { audit: 'decision', field, consistency, ...told, ageSeconds: ageOf(resolvedAt) }
}

async function held({ field, parent, args, context }: Asked): Promise<readonly Answer[]> {
  const isViewers = field.startsWith('Organization.')
  const userId = isViewers ? context.viewer.userId : parent.userId
  if (userId === null) return []
  const subject = { userId, organizationId: isViewers ? parent.id : parent.organizationId }
  const { permissions, source, resolvedAt } = await grantOf(subject, args.consistency, context)
  const { permission } = args
  const told = permission
    ? { permission, allowed: permissions.includes(permission) }
    : { permissions }
  return [{ ...subject, ...told, source, resolvedAt }]
}

/** A list of those who may answers the question for each of them, and for whoever is not in it. It is read anew. */
function listed({ field, parent, args, value }: Asked): readonly Answer[] {
  const permission = args.filter?.permission
  if (permission == null) return []
  const members = edgesOf<Member>(value)
  const found =
    field === 'Organization.members'
      ? { organizationId: parent.id, userIds: members.map(({ userId }) => userId) }
      : { userId: parent.id, organizationIds: members.map(({ organizationId }) => organizationId) }
  return [
    { permission, ...found, consistency: 'FRESH', source: 'DATABASE', resolvedAt: new Date() },
  ]
}
