import { GraphQLError, type OperationDefinitionNode } from 'graphql'
import { GatewayError } from '../domain/errors.ts'
import { requestError } from './errors.ts'

/** @param seconds For how long further requests are refused. */
export function rateLimited(seconds: number): GraphQLError {
  const error = new GatewayError(
    'RATE_LIMITED',
    'Too many requests: wait as long as Retry-After says.',
  )
  return requestError(error, { status: 429, headers: { 'retry-after': String(seconds) } })
}

/** Known mutation or not. `writeTo`: Better Auth's HTTP API; `null`: it is not told. */
export function readOnly(writeTo: string | null): GraphQLError {
  const error = new GatewayError(
    'READ_ONLY',
    'This graph is read-only: changes are made by Better Auth.',
  )
  const more = writeTo === null ? {} : { writeTo }
  return requestError(error, { status: 400, spec: true }, more)
}

export function noSubscriptions(operation: OperationDefinitionNode): GraphQLError {
  return new GraphQLError('This graph has no subscriptions.', { nodes: operation })
}
