import { type DocumentNode, GraphQLError, getOperationAST } from 'graphql'
import type { Plugin } from 'graphql-yoga'
import { GatewayError } from '../domain/errors.ts'

const MESSAGE = 'This graph is read-only: changes are made by Better Auth.'

/**
 * Answers every mutation with READ_ONLY, known or not, and before anybody is authenticated: whoever wants to change
 * something is told where. `writeTo` is the address of Better Auth's HTTP API; `null`: not told.
 */
export function useReadOnly(writeTo: string | null): Plugin {
  return {
    onParse:
      () =>
      ({ result, context }) => {
        if (isDocument(result) && isMutation(result, context.params?.operationName))
          throw refusal(writeTo)
      },
  }
}

function isDocument(result: unknown): result is DocumentNode {
  return typeof result === 'object' && result !== null && 'kind' in result
}

function isMutation(document: DocumentNode, operationName: string | null | undefined): boolean {
  return getOperationAST(document, operationName)?.operation === 'mutation'
}

/** `application/json` keeps 200, as the GraphQL over HTTP specification has it for errors of this kind. */
const badRequest = { status: 400, spec: true }

function refusal(writeTo: string | null): GraphQLError {
  return new GraphQLError(MESSAGE, {
    originalError: new GatewayError('READ_ONLY', MESSAGE),
    extensions: { http: badRequest, ...(writeTo === null ? {} : { writeTo }) },
  })
}
