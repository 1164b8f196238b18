import { decisionRecord } from '../audit/decisions.ts'
import type { Decision as Recorded } from '../domain/audit.ts'
import { GatewayError, isPermitted } from '../domain/errors.ts'
import { type Context, inTurn } from '../graph/context.ts'
import { type Explained, explainDecision } from '../graph/explanation.ts'
import { decide } from '../graph/permission.ts'
import { type OrganizationOf, permissionOf, questionOf } from './mapping.ts'
import type { Entry, Evaluation, Evaluations } from './request.ts'

/** As the specification has it. */
export interface Decision {
  readonly decision: boolean
  readonly context?: object
}

/** A decision, and what is recorded of it, where something is. */
export interface Decided {
  readonly answer: Decision
  readonly records: readonly Recorded[]
}

/** @throws GatewayError when the caller may not ask, or nobody can answer */
export async function evaluate(
  asked: Evaluation,
  organizationOf: OrganizationOf,
  context: Context,
  field: string,
): Promise<Decided> {
  context.viewer.requireScope('permissions:check')
  const { consistency, explain } = asked
  const question = questionOf(asked, organizationOf)
  if (!question) return nobodyMay(asked, field)
  if (explain) {
    const explained = await explainDecision(question, consistency, context)
    const { decision } = explained
    const answer = { decision: decision.allowed, context: await toContext(explained) }
    return { answer, records: recordsOf(context, field, consistency, decision) }
  }
  const decision = await decide(question, consistency, context)
  const answer = { decision: decision.allowed }
  return { answer, records: recordsOf(context, field, consistency, decision) }
}

/** What is recorded costs something, also where nobody records it. */
function recordsOf(
  { trail }: Context,
  ...told: Parameters<typeof decisionRecord>
): readonly Recorded[] {
  return trail ? [decisionRecord(...told)] : NONE
}

const NONE: readonly Recorded[] = []

/** One round trip to the cache and at most one SQL statement for all; what the semantic does not tell is not told. */
export async function evaluateAll(
  { entries, semantic }: Evaluations,
  organizationOf: OrganizationOf,
  context: Context,
  field: string,
): Promise<readonly Decided[]> {
  context.viewer.requireScope('permissions:check')
  const asked = await inTurn(context, entries)
  const decided = await Promise.all(
    asked.map((entry: Entry) =>
      entry instanceof GatewayError
        ? { answer: toError(entry), records: NONE }
        : evaluate(entry, organizationOf, context, field),
    ),
  )
  if (semantic === 'execute_all') return decided
  const deciding = semantic === 'permit_on_first_permit'
  const last = decided.findIndex(({ answer }) => answer.decision === deciding)
  return last === -1 ? decided : decided.slice(0, last + 1)
}

function nobodyMay({ subject, action, resource, consistency, explain }: Evaluation, field: string) {
  const permission = permissionOf(resource.type, action)
  const record: Recorded = {
    ...decisionRecord(field, consistency, { source: 'DATABASE', resolvedAt: new Date() }),
    userId: subject.id,
    ...(permission !== null && { permission }),
    allowed: false,
  }
  const answer = { decision: false, ...(explain && { context: { reason: 'NOT_A_QUESTION' } }) }
  return { answer, records: [record] }
}

function toError({ message }: GatewayError): Decision {
  return { decision: false, context: { error: { status: 400, message } } }
}

/** By the names that these have in the graph. What roles grant is left out for whoever is not told it. */
async function toContext({ decision, requireGrants, allowed: _, ...told }: Explained) {
  const { roles, grantingRoles, ...plain } = told
  const { source, resolvedAt, ageSeconds } = decision
  const isTold = await isPermitted(requireGrants())
  return {
    ...plain,
    roles: roles.map(({ permissions, ...role }) => ({ ...role, ...(isTold && { permissions }) })),
    ...(isTold && { grantingRoles }),
    source,
    resolvedAt,
    ageSeconds,
  }
}
