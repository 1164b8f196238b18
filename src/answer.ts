import { type ExecutionResult, GraphQLError } from 'graphql'
import { createViewer } from './access/viewer.ts'
import type { Audit } from './audit/create.ts'
import type { Authenticator } from './domain/caller.ts'
import { GatewayError } from './domain/errors.ts'
import type { RateLimit } from './domain/rate.ts'
import { createContext, type Sources } from './graph/context.ts'
import type { Admission } from './operation/admission.ts'
import { readAsked } from './operation/asked.ts'
import type { Documents } from './operation/documents.ts'
import { asRequestError, rateLimited, readOnly } from './operation/errors.ts'
import type { Tell } from './operation/tell.ts'
import type { TrustedDocuments } from './operation/trusted.ts'
import { variableErrors } from './operation/variables.ts'
import type { RequestScope } from './scope.ts'

export interface AnswerParts {
  readonly admission: Admission
  readonly documents: Documents
  /** `null`: any document is answered. */
  readonly trusted: TrustedDocuments | null
  readonly authenticator: Authenticator
  /** `null`: any number of operations. */
  readonly rate: Pick<RateLimit, 'ofCaller'> | null
  readonly sources: Sources
  /** `null`: what is told is not recorded. */
  readonly audit: Audit | null
  /** Where mutations are told to go: Better Auth's HTTP API. `null`: they are not told. */
  readonly writeTo: string | null
  readonly tell: Tell
}

/** Answers one operation, whatever way it came. Its errors are as clients are told of them, HTTP status included. */
export type Answer = (
  sent: unknown,
  headers: Pick<Headers, 'get'>,
  scope: RequestScope,
) => Promise<ExecutionResult>

/**
 * The steps of one operation, from what was asked to what is told, top to bottom. A step that refuses throws, or gives
 * errors, and ends it there.
 */
export function createAnswer(parts: AnswerParts): Answer {
  const { admission, documents, trusted, authenticator, rate, sources, audit, tell } = parts

  return async (sent, headers, scope) => {
    const entered = admission.enter(scope)
    try {
      if (!entered)
        throw new GatewayError('UNAVAILABLE', 'Too many requests are under way: try again soon.')

      const { query, operationName, variables } = readAsked(sent, trusted)
      const document = documents.find(query)
      const operation = document.operation(operationName)
      scope.operations.push({ type: operation.operation, name: trusted?.nameOf(query) ?? null })

      // Before anybody is authenticated: whoever wants to change something is told where, known mutation or not.
      if (operation.operation === 'mutation') throw readOnly(parts.writeTo)

      const problems = document.problems()
      if (problems.length > 0) return tell(scope, problems)
      if (operation.operation === 'subscription')
        throw new GraphQLError('This graph has no subscriptions.', { nodes: operation })
      document.checkCost(operation, variables)

      const caller = await authenticator.authenticate(headers)
      scope.caller = caller.kind
      const wait = (await rate?.ofCaller(caller)) ?? null
      if (wait !== null) throw rateLimited(wait)

      const trail = audit?.(caller, scope)
      const context = createContext(sources, createViewer(caller, sources), trail)
      const misfits = variableErrors(documents.rules.schema, operation, variables)
      if (misfits) return tell(scope, misfits)

      const result = await document.run(operation, variables, context)
      trail?.end(result)
      return result.errors ? { ...result, ...tell(scope, result.errors) } : result
    } catch (error) {
      return tell(scope, [asRequestError(error)])
    } finally {
      if (entered) admission.leave(scope)
    }
  }
}
