import { GraphQLError } from 'graphql'
import type { Plugin } from 'graphql-yoga'
import { GatewayError } from '../domain/errors.ts'

/** Gives a code to what cannot be read as a request: a media type nobody knows, or variables that are no JSON. */
export function useRequestErrors(): Plugin {
  return {
    onRequestParse({ requestParser, setRequestParser }) {
      setRequestParser(async (request) => {
        if (!requestParser) throw badRequest(415, 'This media type is not understood.')
        try {
          return await requestParser(request)
        } catch (error) {
          throw error instanceof SyntaxError
            ? badRequest(400, 'The parameters are not valid JSON.')
            : error
        }
      })
    },
  }
}

function badRequest(status: number, message: string): GraphQLError {
  return new GraphQLError(message, {
    originalError: new GatewayError('BAD_REQUEST', message),
    extensions: { http: { status } },
  })
}
