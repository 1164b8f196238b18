import { GraphQLError } from 'graphql'
import { type ErrorCode, GatewayError } from '../domain/errors.ts'
import type { RequestScope } from '../scope.ts'
import { withoutStacks } from './without-stacks.ts'

export interface TellParts {
  /** Whether errors may name parts of the graph that the client did not name. */
  readonly suggestions: boolean
  /** Told of each error on our side, which the client is not told the cause of. */
  readonly onUnexpected: (error: unknown, scope: RequestScope) => void
}

/** Makes of errors what clients are told of them. */
export type Tell = (
  scope: RequestScope,
  errors: readonly unknown[],
) => { readonly errors: readonly GraphQLError[] }

/** Tells clients of errors, and the log of those on our side: once of each, however many fields waited for it. */
export function createTell({ suggestions, onUnexpected }: TellParts): Tell {
  const reported = new WeakSet()
  const report = (error: unknown, scope: RequestScope) => {
    if (scope.isGivenUp || (error instanceof Error && reported.has(error))) return
    if (error instanceof Error) reported.add(error)
    onUnexpected(error, scope)
  }
  const tellOne = (error: unknown, scope: RequestScope) => {
    const origin = originOf(error)
    const code = codeOf(origin)
    scope.codes.add(code)
    if (origin instanceof GatewayError) scope.refusedFor ??= origin.reason ?? null
    if (worthReporting.includes(code))
      report(origin instanceof GatewayError ? origin.origin : origin, scope)
    const message = messageOf(error, code, suggestions)
    const count = standsForAll(origin) ? origin.times : undefined
    return toClientError(error, message, { code, requestId: scope.id, count })
  }
  return (scope, errors) => ({
    errors: withoutStacks(() => errors.filter(isTold).map((error) => tellOne(error, scope))),
  })
}

const MASK = 'Unexpected error.'
/** Names and values that clients send, and places in their documents, are told again no further than anybody reads. */
const LONGEST_MESSAGE = 500
const MOST_LOCATIONS = 10
const worthReporting: readonly ErrorCode[] = ['INTERNAL', 'UNAVAILABLE', 'TIMEOUT']

/** The message as given, and of the error what belongs to GraphQL or is ours: nothing else of it. */
function toClientError(error: unknown, message: string, named: object): GraphQLError {
  const { nodes, source, positions, locations, path, extensions }: Partial<GraphQLError> =
    error instanceof GraphQLError ? error : {}
  const { http, writeTo } = extensions ?? {}
  const told = new GraphQLError(message, {
    path: path ?? null,
    extensions: { ...named, writeTo, ...(http && { http }) },
  })
  // Given to the constructor, each place would be looked for in the text once more. Yoga, which looks for them when it
  // writes the error, does so by the first three.
  return Object.assign(told, {
    source,
    nodes: nodes?.slice(0, MOST_LOCATIONS),
    positions: positions?.slice(0, MOST_LOCATIONS),
    locations: locations?.slice(0, MOST_LOCATIONS),
  })
}

/** Of errors of ours or of GraphQL's own, and no others. */
function messageOf(error: unknown, code: ErrorCode, suggestions: boolean): string {
  if (code === 'INTERNAL' || !(error instanceof Error)) return MASK
  const { message } = error
  const short = message.length > LONGEST_MESSAGE ? `${message.slice(0, LONGEST_MESSAGE)}…` : message
  return suggestions ? short : short.replace(/ ?Did you mean .+\?$/s, '')
}

/** Not what another error stands for. */
function isTold(error: unknown): boolean {
  const origin = originOf(error)
  return !(origin instanceof GatewayError && standsForAll(origin.again))
}

function standsForAll(error: unknown): error is GatewayError {
  return error instanceof GatewayError && error.standsForAll
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
