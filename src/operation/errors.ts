import { GraphQLError } from 'graphql'
import { type ErrorCode, GatewayError } from '../domain/errors.ts'

/** How an error of a whole request is answered over HTTP, as Yoga reads it from `extensions.http`. */
export interface HttpAnswer {
  readonly status: number
  /** `application/json` keeps 200, as the GraphQL over HTTP specification has it. */
  readonly spec?: true
  readonly headers?: Record<string, string>
}

/** An error of the whole request, with the HTTP status it answers with. */
export function requestError(
  error: GatewayError,
  http: HttpAnswer,
  more: Readonly<Record<string, unknown>> = {},
): GraphQLError {
  const { message, code } = error
  return new GraphQLError(message, { originalError: error, extensions: { code, http, ...more } })
}

/** What cannot be made sense of. */
export function badRequest(
  status: number,
  message: string,
  http: Omit<HttpAnswer, 'status'> = {},
): GraphQLError {
  return requestError(new GatewayError('BAD_REQUEST', message), { status, ...http })
}

/** Statuses of requests that fail as a whole, before anything is executed. */
const statuses: Partial<Record<ErrorCode, number>> = {
  UNAUTHENTICATED: 401,
  UNAVAILABLE: 503,
  TIMEOUT: 503,
}

const RETRY_AFTER_SECONDS = '1'

/** The same error as one of the whole request, with the HTTP status it answers with. */
export function asRequestError(error: unknown): unknown {
  if (!(error instanceof GatewayError)) return error
  const status = statuses[error.code]
  if (status === undefined) return error
  const headers: Record<string, string> =
    status === 401
      ? { 'www-authenticate': 'Bearer error="invalid_token"' }
      : { 'retry-after': RETRY_AFTER_SECONDS }
  return requestError(error, { status, headers })
}

/** An error of validation, as one of the whole request. */
export function asValidationError(error: GraphQLError): GraphQLError {
  error.extensions.code ??= 'GRAPHQL_VALIDATION_FAILED'
  error.extensions.http ??= { status: 400, spec: true }
  return error
}
