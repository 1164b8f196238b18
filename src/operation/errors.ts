import { GraphQLError, type GraphQLErrorExtensions } from 'graphql'
import { type ErrorCode, GatewayError } from '../domain/errors.ts'

const MASK = 'Unexpected error.'

export interface ErrorReport {
  readonly onUnexpected: (error: unknown) => void
  readonly requestId: string | undefined
}

/**
 * What the client is told of an error: message and code of ours or of GraphQL's own, nothing of any other.
 * `onUnexpected` gets what went wrong on our side, which is kept from the client; `requestId` is how the client can name
 * it to us.
 */
export function toClientError(
  error: unknown,
  { onUnexpected, requestId }: ErrorReport,
): GraphQLError {
  const origin = originOf(error)
  const code = codeOf(origin)
  if (worthReporting.includes(code)) onUnexpected(origin)
  const message = code !== 'INTERNAL' && error instanceof Error ? shortened(error.message) : MASK
  const named = requestId === undefined ? { code } : { code, requestId }
  if (!(error instanceof GraphQLError)) return new GraphQLError(message, { extensions: named })
  const { nodes, source, positions, locations, path, extensions } = error
  const told = new GraphQLError(message, {
    path: path ?? null,
    extensions: {
      ...named,
      ...(extensions.http ? { http: statusOf(extensions) } : {}),
      ...(code === 'READ_ONLY' && extensions.writeTo ? { writeTo: extensions.writeTo } : {}),
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

/** Names and values that clients send, and places in their documents, are told again no further than anybody reads. */
const LONGEST_MESSAGE = 500
const MOST_LOCATIONS = 10

function shortened(message: string): string {
  return message.length > LONGEST_MESSAGE ? `${message.slice(0, LONGEST_MESSAGE)}…` : message
}

/** The same error without what GraphQL adds of names that the client did not name. */
export function withoutSuggestion(error: GraphQLError): GraphQLError {
  error.message = error.message.replace(/ ?Did you mean .+\?$/s, '')
  return error
}

/** A body that is no JSON, which Yoga tells by the parser's error, is 400 whatever the client accepts. */
function statusOf({ http, originalError }: GraphQLErrorExtensions) {
  return originalError === undefined ? http : { ...http, spec: false }
}

const worthReporting: readonly ErrorCode[] = ['INTERNAL', 'UNAVAILABLE', 'TIMEOUT']

/** Statuses of requests that fail as a whole, before anything is executed. */
const statuses: Partial<Record<ErrorCode, number>> = {
  UNAUTHENTICATED: 401,
  UNAVAILABLE: 503,
  TIMEOUT: 503,
}

const RETRY_AFTER_SECONDS = '1'

/** The same error as one of the whole request, with the HTTP status it answers with. */
export function asRequestError(error: unknown): unknown {
  const code = codeOf(error)
  const status = statuses[code]
  if (status === undefined || !(error instanceof Error)) return error
  const headers =
    status === 401
      ? { 'www-authenticate': 'Bearer error="invalid_token"' }
      : { 'retry-after': RETRY_AFTER_SECONDS }
  return new GraphQLError(error.message, {
    originalError: error,
    extensions: { code, http: { status, headers } },
  })
}

/** An error of the whole request, with the HTTP status it answers with. */
export function requestError(error: GatewayError, http: RequestStatus): GraphQLError {
  const { message, code } = error
  return new GraphQLError(message, { originalError: error, extensions: { code, http } })
}

interface RequestStatus {
  readonly status: number
  /** `application/json` keeps 200, as the GraphQL over HTTP specification has it. */
  readonly spec?: true
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
