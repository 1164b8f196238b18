import { type DocumentNode, type GraphQLError, getOperationAST } from 'graphql'
import type { Plugin } from 'graphql-yoga'
import { asRequestError } from '../operation/errors.ts'

/** Who is told how the request goes that is being answered, and may refuse it. */
export interface CurrentRequest {
  /** The id that errors carry. Absent: none. */
  id(): string | undefined
  /** Whether it was refused for want of room, is past its deadline or has lost its client: errors need no explanation. */
  isGivenUp(): boolean
  /** @throws GatewayError when there is no room for another operation. */
  enter(): void
  leave(): void
  operation(type: string, name: string | null): void
  caller(kind: string): void
  error(code: string): void
}

/**
 * Lets operations in while there is room, and tells what kind each is. `nameOf` gives the name of an operation by its
 * text, for texts of a closed set; `toldOf` makes of an error that nobody has masked, as those of validation, what the
 * client is told.
 */
export function useCurrentRequest(
  request: CurrentRequest,
  nameOf: (query: string) => string | null,
  toldOf: (error: unknown) => GraphQLError,
): Plugin {
  return {
    onParams() {
      try {
        request.enter()
      } catch (error) {
        throw asRequestError(error)
      }
    },
    onParse:
      ({ params }) =>
      ({ result, context }) => {
        const operation =
          isDocument(result) && getOperationAST(result, context.params?.operationName)
        if (operation) request.operation(operation.operation, nameOf(String(params.source)))
      },
    onExecutionResult({ result, setResult }) {
      request.leave()
      if (!result || !('errors' in result) || !result.errors) return
      const errors = result.errors.map((error) =>
        error.extensions.requestId === request.id() ? error : toldOf(error),
      )
      setResult({ ...result, errors })
    },
  }
}

function isDocument(result: unknown): result is DocumentNode {
  return typeof result === 'object' && result !== null && 'kind' in result
}
