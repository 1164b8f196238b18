import type { ExecutionResult, OperationDefinitionNode } from 'graphql'
import type { Change } from './domain/changes.ts'
import type { Place } from './domain/fair-queue.ts'
import type { RateLimit } from './domain/rate.ts'
import type { LetIn, LetInCaller } from './let-in.ts'
import type { Admission } from './operation/admission.ts'
import { readAsked } from './operation/asked.ts'
import { withCookieHint } from './operation/cookie-hint.ts'
import type { Document } from './operation/document.ts'
import type { Documents } from './operation/documents.ts'
import {
  asRequestError,
  type Challenge,
  noSubscriptions,
  rateLimited,
  readOnly,
} from './operation/errors.ts'
import { COST_HEADER, checkAnswer, checkCost, withCost } from './operation/limits.ts'
import type { Tell } from './operation/tell.ts'
import type { TrustedDocuments } from './operation/trusted.ts'
import { Pace, type TurnsByWeight } from './operation/turns.ts'
import { variableErrors } from './operation/variables.ts'
import type { createWarnings } from './operation/warnings.ts'
import type { RequestScope } from './scope.ts'
import type { EventStream } from './stream.ts'
import type { Streams } from './streams.ts'

export interface AnswerParts {
  readonly admission: Admission
  readonly documents: Documents
  /** `null`: any document is answered. */
  readonly trusted: TrustedDocuments | null
  /** `null`: any number of operations. */
  readonly rate: Pick<RateLimit, 'ofAddress'> | null
  readonly turns: TurnsByWeight
  readonly letIn: LetIn
  /** `null`: nothing can be subscribed to. */
  readonly streams: Streams | null
  /** Where mutations are told to go: Better Auth's HTTP API. `null`: they are not told. */
  readonly writeTo: string | null
  readonly challenge: Challenge
  readonly tell: Tell
  readonly warn: ReturnType<typeof createWarnings>
}

/**
 * Answers one operation, whatever way it came: a subscription with its events, to a request that takes them. Errors are as
 * clients are told of them, HTTP status included.
 */
export type Answer = (
  sent: unknown,
  headers: Pick<Headers, 'get'>,
  scope: RequestScope,
) => Promise<ExecutionResult | EventStream>

/** An operation that may be executed, as far as that is known without knowing who asks. */
interface Checked {
  readonly document: Document
  readonly operation: OperationDefinitionNode
  readonly variables: Readonly<Record<string, unknown>>
  readonly points: number
}

/** The first operation of a request begins at once, and the others of a batch by turns, as if they were so many entries. */
const OF_AN_OPERATION = 50

/** So many characters of a new document take as long to check as an entry to be answered with. */
const OF_AN_ENTRY = 100

/**
 * The steps of one operation, from what was asked to what is told, top to bottom. A step that refuses throws, or gives
 * errors, and ends it there.
 */
export function createAnswer(parts: AnswerParts): Answer {
  const { admission, turns, documents, trusted, rate, letIn, streams, tell, warn } = parts
  const { limits, introspection, schema } = documents.rules

  const misfitsOf = ({ operation, variables }: Checked) =>
    variableErrors(schema, operation, variables)

  const tellResult = (
    result: ExecutionResult,
    { points }: Checked,
    { trail, context }: LetInCaller,
    scope: RequestScope,
    headers: Pick<Headers, 'get'>,
  ) => {
    checkAnswer(result, points, limits)
    trail?.end(result)
    const told = result.errors ? { ...result, ...tell(scope, result.errors) } : result
    const answer = warn(told, context.undefinedPermissions)
    return headers.get(COST_HEADER) === null ? answer : withCost(answer, points, scope, limits)
  }

  const withHint = (answer: ExecutionResult, { cookieIgnored }: RequestScope) =>
    cookieIgnored && introspection ? withCookieHint(answer, cookieIgnored) : answer

  /** The same steps from the caller on, for each of its events. */
  const subscription = (asked: Checked, headers: Pick<Headers, 'get'>, scope: RequestScope) => {
    const { document, operation, variables, points } = asked
    return {
      ...{ scope, headers, points },
      subscribe: async ({ context }: LetInCaller) => {
        const errors = misfitsOf(asked)
        return errors ? { errors } : document.subscribe(operation, variables, context)
      },
      answer: async (caller: LetInCaller, of: RequestScope, change: Change) => {
        const result = await document.runEvent(operation, variables, caller.context, change)
        return tellResult(result, asked, caller, of, headers)
      },
    }
  }

  return async (sent, headers, scope) => {
    const pace = new Pace(turns, scope)
    let entered = false
    let place: Place | undefined
    try {
      const isFurther = scope.asked++ > 0
      if (isFurther) await pace.take(OF_AN_OPERATION)
      admission.enter(scope)
      entered = true
      const wait = isFurther && rate ? await rate.ofAddress(scope.address) : null
      if (wait !== null) throw rateLimited(wait)

      const { query, operationName, variables } = readAsked(sent, trusted)
      const document = documents.find(query)
      if (!document.isChecked) await pace.takeToCheck(query.length / OF_AN_ENTRY)
      const operation = document.operation(operationName)
      scope.operations.push({ type: operation.operation, name: trusted?.nameOf(query) ?? null })

      // Before anybody is authenticated: whoever wants to change something is told where, known mutation or not.
      if (operation.operation === 'mutation') throw readOnly(parts.writeTo)
      const isSubscription = operation.operation === 'subscription'
      if (isSubscription && !streams) throw noSubscriptions()
      if (isSubscription) streams?.checkTakesEvents(scope)

      const problems = document.problems()
      if (problems.length > 0) return tell(scope, problems)
      const points = document.costOf(operation, variables)
      scope.cost += points
      checkCost(scope.cost, limits)

      const asked = { document, operation, variables, points }
      if (isSubscription && streams) {
        const opened = await streams.open(subscription(asked, headers, scope))
        return Symbol.asyncIterator in opened ? opened : withHint(opened, scope)
      }

      const caller = await letIn({ scope, headers, pace, points })
      place = caller.place
      const errors = misfitsOf(asked)
      if (errors) return tell(scope, errors)

      const result = await document.run(operation, variables, caller.context)
      return withHint(tellResult(result, asked, caller, scope, headers), scope)
    } catch (error) {
      return tell(scope, [asRequestError(error, parts.challenge)])
    } finally {
      place?.leave()
      if (entered) admission.leave(scope)
    }
  }
}
