import type { Plugin } from 'graphql-yoga'
import { GatewayError } from '../domain/errors.ts'
import { requestError } from '../operation/errors.ts'

/** Refuses requests with more operations than this before any of them is looked at. */
export function useBatchLimit(most: number): Plugin {
  return {
    onRequestParse: () => ({
      onRequestParseDone({ requestParserResult }) {
        if (Array.isArray(requestParserResult) && requestParserResult.length > most)
          throw requestError(
            new GatewayError('LIMIT_EXCEEDED', `A request takes at most ${most} operations.`),
            { status: 413 },
          )
      },
    }),
  }
}
