import type { GraphQLError } from 'graphql'
import type { Plugin } from 'graphql-yoga'
import { GatewayError } from '../domain/errors.ts'
import { requestError } from '../operation/errors.ts'
import { checkValues } from './request-values.ts'

/**
 * Refuses, each with a code, what cannot be read as a request: a media type nobody knows, more values than these, or
 * variables that are no JSON.
 */
export function useRequestErrors(mostValues: number): Plugin {
  return {
    onRequestParse({ requestParser, setRequestParser, fetchAPI }) {
      setRequestParser(async (request) => {
        if (!requestParser) throw badRequest(415, 'This media type is not understood.')
        let readable = request
        if (request.method === 'POST') {
          const body = await request.text()
          checkValues(body, mostValues)
          const { url, method, headers } = request
          readable = new fetchAPI.Request(url, { method, headers, body })
        }
        try {
          return await requestParser(readable)
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
  return requestError(new GatewayError('BAD_REQUEST', message), { status })
}
