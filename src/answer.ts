import type { ExecutionResult } from 'graphql'
import type { Change } from './domain/changes.ts'
import type { Place } from './domain/fair-queue.ts'
import type { RateLimit } from './domain/rate.ts'
import type { LetIn, LetInCaller } from './let-in.ts'
import type { Admission } from './operation/admission.ts'
import { readAsked } from './operation/asked.ts'
import { withCookieHint } from './operation/cookie-hint.ts'
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
import { Pace, type Turns } from './operation/turns.ts'
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
  readonly turns: Turns
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
  const { limits, introspection } = documents.rules

  return async (sent, headers, scope) => {
    const pace = new Pace(turns, () => scope.share)
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
      if (!document.isChecked) await pace.take(query.length / OF_AN_ENTRY)
      const operation = document.operation(operationName)
      scope.operations.push({ type: operation.operation, name: trusted?.nameOf(query) ?? null })

      // Before anybody is authenticated: whoever wants to change something is told where, known mutation or not.
      if (operation.operation === 'mutation') throw readOnly(parts.writeTo)
      const isSubscription = operation.operation === 'subscription'
      if (isSubscription && !streams) throw noSubscriptions()
      if (isSubscription) streams?.checkTakesEvents(scope, headers)

      const problems = document.problems()
      if (problems.length > 0) return tell(scope, problems)
      const points = document.costOf(operation, variables)
      scope.cost += points
      checkCost(scope.cost, limits)

      const misfits = () => variableErrors(documents.rules.schema, operation, variables)
      const finish = (
        { trail, context }: LetInCaller,
        of: RequestScope,
        result: ExecutionResult,
      ) => {
        checkAnswer(result, points, limits)
        trail?.end(result)
        const answer = result.errors ? { ...result, ...tell(of, result.errors) } : result
        return warn(answer, context.undefinedPermissions)
      }
      if (isSubscription && streams) {
        const subscribe = async ({ context }: LetInCaller) => {
          const errors = misfits()
          return errors ? { errors } : document.subscribe(operation, variables, context)
        }
        const answer = async (caller: LetInCaller, of: RequestScope, change: Change) =>
          finish(caller, of, await document.runEvent(operation, variables, caller.context, change))
        return await streams.open({ scope, headers, points, subscribe, answer })
      }

      const caller = await letIn({ scope, headers, pace, points })
      place = caller.place
      const errors = misfits()
      if (errors) return tell(scope, errors)

      const result = await document.run(operation, variables, caller.context)
      const told = finish(caller, scope, result)
      const costed =
        headers.get(COST_HEADER) === null ? told : withCost(told, points, scope, limits)
      const { cookieIgnored } = scope
      return cookieIgnored && introspection ? withCookieHint(costed, cookieIgnored) : costed
    } catch (error) {
      return tell(scope, [asRequestError(error, parts.challenge)])
    } finally {
      place?.leave()
      if (entered) admission.leave(scope)
    }
  }
}
