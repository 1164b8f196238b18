import { AsyncResource } from 'node:async_hooks'
import type { IncomingMessage } from 'node:http'
import type { Answer } from '../answer.ts'
import { badRequest } from '../operation/errors.ts'
import type { Tell } from '../operation/tell.ts'
import { currentScope } from '../scope.ts'
import type { Head } from './head.ts'
import type { Lane } from './lane.ts'
import { checkValues } from './values.ts'
import { send } from './write.ts'

export interface JsonLaneOptions {
  readonly answer: Answer
  readonly endpoint: string
  readonly largestBodyBytes: number
  /** The most values in a body. */
  readonly mostValues: number
  readonly tell: Tell
  /** Takes whatever is unusual about a request. */
  readonly otherwise: Lane
}

/**
 * The way of the usual request: POST with a JSON body of known length, to be answered as JSON. Yoga's HTTP layer, which
 * can do very much more, costs more than most queries. Both ways call the same `answer` and write the same.
 */
export function createJsonLane(options: JsonLaneOptions): Lane {
  const { answer, mostValues, tell, otherwise } = options
  return (arrival) => {
    const { request, response, head } = arrival
    const scope = currentScope()
    const mediaType = isUsual(head, options) ? answeredAs(request.headers.accept) : undefined
    if (!scope || mediaType === undefined) return otherwise(arrival)
    const onBody = (body: Buffer) => {
      let sent: unknown
      try {
        sent = parse(body.toString('utf8'), mostValues)
      } catch (error) {
        return send(response, tell(scope, [error]), mediaType)
      }
      if (!isOne(sent)) return otherwise({ ...arrival, body })
      const headers = { get: (name: string) => request.headers[name]?.toString() ?? null }
      void answer(sent, headers, scope).then((result) => send(response, result, mediaType))
    }
    if (arrival.body) return onBody(arrival.body)
    const chunks: Buffer[] = []
    const onEnd = () => onBody(chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks))
    // The event comes from the connection; what follows belongs to this request.
    const own = new AsyncResource('JsonLane')
    request.on('data', (chunk: Buffer | string) => chunks.push(toBuffer(chunk, request)))
    request.on('end', () => own.runInAsyncScope(onEnd))
  }
}

/** Whoever had the request before may have asked for text. */
function toBuffer(chunk: Buffer | string, { readableEncoding }: IncomingMessage): Buffer {
  return typeof chunk === 'string' ? Buffer.from(chunk, readableEncoding ?? 'utf8') : chunk
}

const JSON_BODY = /^application\/json(; ?charset=utf-8)?$/
const LENGTH = /^[1-9]\d{0,8}$/
/** Headers that change what is read, in ways that are Yoga's to know. */
const unusual = ['content-encoding', 'transfer-encoding'] as const

function isUsual({ method, place, target, header }: Head, options: JsonLaneOptions): boolean {
  const length = header('content-length') ?? ''
  return (
    method === 'POST' &&
    place === options.endpoint &&
    !target.includes('?') &&
    JSON_BODY.test(header('content-type') ?? '') &&
    LENGTH.test(length) &&
    Number(length) <= options.largestBodyBytes &&
    unusual.every((name) => header(name) === undefined)
  )
}

const RESPONSE_JSON = 'application/graphql-response+json'
/** What clients of GraphQL send, and the media type that Yoga answers it with. */
const answered = new Map([
  ['*/*', 'application/json'],
  ['application/json', 'application/json'],
  ['application/json, text/plain, */*', 'application/json'],
  [RESPONSE_JSON, RESPONSE_JSON],
  [`${RESPONSE_JSON}, application/json`, RESPONSE_JSON],
  [`${RESPONSE_JSON},application/json;q=0.9`, RESPONSE_JSON],
  [`${RESPONSE_JSON}, application/json;q=0.9`, RESPONSE_JSON],
])

function answeredAs(accept = '*/*'): string | undefined {
  return answered.get(accept)
}

/** @throws GraphQLError BAD_REQUEST or LIMIT_EXCEEDED */
function parse(body: string, mostValues: number): unknown {
  checkValues(body, mostValues)
  try {
    return JSON.parse(body)
  } catch {
    throw badRequest(400, 'POST body sent invalid JSON.')
  }
}

/** Whether these are one operation's parameters, and not a batch or nothing that an answer could be about. */
function isOne(sent: unknown): boolean {
  return typeof sent === 'object' && sent !== null && !Array.isArray(sent)
}
