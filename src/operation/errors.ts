import { GraphQLError } from 'graphql'
import { type ErrorCode, GatewayError } from '../domain/errors.ts'
import type { Spent } from '../domain/rate.ts'

/** How an error of a whole request is answered over HTTP, as Yoga reads it from `extensions.http`. */
export interface HttpAnswer {
  readonly status: number
  /** `application/json` keeps 200, as the GraphQL over HTTP specification has it. */
  readonly spec?: true
  readonly headers?: Record<string, string>
}

/** To a document that is not answered. */
export const badDocument: HttpAnswer = { status: 400, spec: true }

/** An error of the whole request, with the HTTP status it answers with. */
export function requestError(code: ErrorCode, message: string, http: HttpAnswer): GraphQLError {
  return answeredWith(new GatewayError(code, message), http)
}

function answeredWith(error: GatewayError, http: HttpAnswer): GraphQLError {
  const { message, code } = error
  return new GraphQLError(message, { originalError: error, extensions: { code, http } })
}

/** What cannot be made sense of. */
export function badRequest(
  status: number,
  message: string,
  http: Omit<HttpAnswer, 'status'> = {},
): GraphQLError {
  return requestError('BAD_REQUEST', message, { status, ...http })
}

/** @param seconds For how long further requests are refused. */
export function rateLimited(seconds: number): GraphQLError {
  const headers = { 'retry-after': String(seconds) }
  const message = 'Too many requests: wait as long as Retry-After says.'
  return requestError('RATE_LIMITED', message, { status: 429, headers })
}

/** Of a caller who has spent what they may. */
export function overBudget({ refusedFor, available, perMinute }: Spent, points: number) {
  const headers = { 'retry-after': String(refusedFor) }
  const message = `This request costs ${points} points, and ${available} are left of the ${perMinute} that a caller may spend in a minute: ask for less, or wait as long as Retry-After says.`
  return requestError('RATE_LIMITED', message, { status: 429, headers })
}

/** Known mutation or not. `writeTo`: Better Auth's HTTP API; `null`: it is not told. */
export function readOnly(writeTo: string | null): GraphQLError {
  const message = 'This graph is read-only: changes are made by Better Auth.'
  const error = requestError('READ_ONLY', message, badDocument)
  if (writeTo !== null) error.extensions.writeTo = writeTo
  return error
}

/** As a mutation is refused: whatever it asks for, nothing but queries is answered. */
export function noSubscriptions(): GraphQLError {
  const message =
    'There are no subscriptions here: they need PERMISSION_EVENTS, and LIMIT_SUBSCRIPTIONS above 0.'
  return requestError('READ_ONLY', message, badDocument)
}

const tryAgain: HttpAnswer = { status: 503, headers: { 'retry-after': '1' } }

/** Requests that fail as a whole, before anything is executed. */
const answers: Partial<Record<ErrorCode, HttpAnswer>> = {
  UNAVAILABLE: tryAgain,
  TIMEOUT: tryAgain,
}

/** What a client without a valid credential is told of those that count. */
export interface Challenge {
  /** Where it learns whom to ask for one; absent: it is not told. */
  readonly metadataUrl?: string | undefined
  /** Of proofs that go with tokens bound to a key (DPoP); none: they are not taken. */
  readonly proofAlgorithms: readonly string[]
}

/** The same error as one of the whole request, with the HTTP status it answers with. */
export function asRequestError(
  error: unknown,
  challenge: Challenge = { proofAlgorithms: [] },
): unknown {
  if (!(error instanceof GatewayError)) return error
  const http =
    error.code === 'UNAUTHENTICATED' ? unauthenticated(error, challenge) : answers[error.code]
  return http ? answeredWith(error, http) : error
}

/** Whether the token or its proof is wrong is all that is told. */
function unauthenticated(
  { reason = '' }: GatewayError,
  { metadataUrl, proofAlgorithms }: Challenge,
): HttpAnswer {
  const metadata = metadataUrl === undefined ? '' : `, resource_metadata="${metadataUrl}"`
  const error = reason.startsWith('proof ') ? 'invalid_dpop_proof' : 'invalid_token'
  const dpop = `, DPoP error="${error}", algs="${proofAlgorithms.join(' ')}"`
  const challenge = `Bearer error="invalid_token"${metadata}${proofAlgorithms.length > 0 ? dpop : ''}`
  return { status: 401, headers: { 'www-authenticate': challenge } }
}
