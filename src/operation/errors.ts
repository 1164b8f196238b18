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

/** What clients are told of an error. */
export interface Telling {
  /** How the client can name the request to us. */
  readonly requestId: string
  /** Whether errors may name parts of the graph that the client did not name. */
  readonly suggestions: boolean
  /** Told what went wrong on our side, which is kept from the client. */
  readonly onUnexpected: (error: unknown) => void
}

const MASK = 'Unexpected error.'
/** Names and values that clients send, and places in their documents, are told again no further than anybody reads. */
const LONGEST_MESSAGE = 500
const MOST_LOCATIONS = 10
const worthReporting: readonly ErrorCode[] = ['INTERNAL', 'UNAVAILABLE', 'TIMEOUT']

/** Message and code of ours or of GraphQL's own, and nothing of any other error. */
export function toClientError(error: unknown, telling: Telling): GraphQLError {
  const origin = originOf(error)
  const code = codeOf(origin)
  if (worthReporting.includes(code)) telling.onUnexpected(origin)
  const message = messageOf(error, code, telling)
  const named = { code, requestId: telling.requestId }
  if (!(error instanceof GraphQLError)) return new GraphQLError(message, { extensions: named })
  const { nodes, source, positions, locations, path, extensions } = error
  const told = new GraphQLError(message, {
    path: path ?? null,
    extensions: {
      ...named,
      ...(extensions.http ? { http: extensions.http } : {}),
      ...(extensions.writeTo ? { writeTo: extensions.writeTo } : {}),
    },
  })
  // Given to the constructor, each place would be looked for in the text once more.
  return Object.assign(told, {
    source,
    nodes: nodes?.slice(0, MOST_LOCATIONS),
    positions: positions?.slice(0, MOST_LOCATIONS),
    locations: locations?.slice(0, MOST_LOCATIONS),
  })
}

function messageOf(error: unknown, code: ErrorCode, { suggestions }: Telling): string {
  if (code === 'INTERNAL' || !(error instanceof Error)) return MASK
  const { message } = error
  const short = message.length > LONGEST_MESSAGE ? `${message.slice(0, LONGEST_MESSAGE)}…` : message
  return suggestions ? short : short.replace(/ ?Did you mean .+\?$/s, '')
}

function originOf(error: unknown): unknown {
  return error instanceof GraphQLError && error.originalError
    ? originOf(error.originalError)
    : error
}

/** Codes that the GraphQL libraries give and that are ours as well. */
const shared: readonly unknown[] = [
  'GRAPHQL_PARSE_FAILED',
  'GRAPHQL_VALIDATION_FAILED',
  'BAD_REQUEST',
] satisfies ErrorCode[]

function codeOf(origin: unknown): ErrorCode {
  if (origin instanceof GatewayError) return origin.code
  if (!(origin instanceof GraphQLError)) return 'INTERNAL'
  const { code } = origin.extensions
  if (code === 'REQUEST_ENTITY_TOO_LARGE') return 'LIMIT_EXCEEDED'
  if (shared.includes(code)) return code as ErrorCode
  // Without a code: values of variables that do not fit. With another one: requests that cannot be made sense of.
  return code === undefined ? 'BAD_USER_INPUT' : 'BAD_REQUEST'
}
