import type { ExecutionResult } from 'graphql'
import type { Answer } from '../answer.ts'
import type { Tell } from '../operation/tell.ts'
import { currentScope } from '../scope.ts'
import { collect } from './body.ts'
import { type Head, headersOf } from './head.ts'
import type { Lane } from './lane.ts'
import { parseBody } from './values.ts'
import { send } from './write.ts'

export interface JsonLaneOptions {
  readonly answer: Answer
  readonly endpoint: string
  readonly largestBodyBytes: number
  /** The most values in a body. */
  readonly mostValues: number
  readonly tell: Tell
  /** Takes requests that are answered with events. */
  readonly events: { takes(head: Head): boolean; readonly answer: Lane }
  /** Takes whatever is unusual about a request. */
  readonly otherwise: Lane
}

/**
 * The way of the usual request: POST with a JSON body of known length, to be answered as JSON. Yoga's HTTP layer, which
 * can do very much more, costs more than most queries. Both ways call the same `answer` and write the same.
 */
export function createJsonLane(options: JsonLaneOptions): Lane {
  const { answer, mostValues, tell, events, otherwise } = options
  return (arrival) => {
    const { request, response, head } = arrival
    const scope = currentScope()
    const mediaType = isUsual(head, options) ? answeredAs(request.headers.accept) : undefined
    if (!scope || mediaType === undefined)
      return events.takes(head) ? events.answer(arrival) : otherwise(arrival)
    const onBody = (body: Buffer) => {
      let sent: unknown
      try {
        sent = parseBody(body.toString('utf8'), mostValues)
      } catch (error) {
        return send(response, tell(scope, [error]), mediaType)
      }
      if (!isOne(sent)) return otherwise({ ...arrival, body })
      // Events are for requests that take them, which this is not.
      void answer(sent, headersOf(request), scope).then((result) =>
        send(response, result as ExecutionResult, mediaType),
      )
    }
    if (arrival.body) return onBody(arrival.body)
    // No more comes than the length that it has said.
    collect(request, { most: Number.POSITIVE_INFINITY, onBody, onTooMuch: () => {} })
  }
}

const JSON_BODY = /^application\/json(; ?charset=utf-8)?$/i
const LENGTH = /^[1-9]\d{0,8}$/

function isUsual(head: Head, options: Pick<JsonLaneOptions, Known>): boolean {
  return (
    head.method === 'POST' &&
    head.place === options.endpoint &&
    !head.target.includes('?') &&
    isJsonOfKnownForm(head, options)
  )
}

type Known = 'endpoint' | 'largestBodyBytes'

/** Whether the body is JSON, and as long as it says and may be. */
function isJsonOfKnownForm(head: Pick<Head, 'header'>, options: Pick<JsonLaneOptions, Known>) {
  const hasLength = LENGTH.test(head.header('content-length') ?? '')
  return hasLength && head.header('transfer-encoding') === undefined && isPlainJson(head, options)
}

/** Whether the body is JSON, neither compressed nor longer than it may be, as far as it says how long it is. */
export function isPlainJson(
  { header }: Pick<Head, 'header'>,
  { largestBodyBytes }: Pick<JsonLaneOptions, Known>,
): boolean {
  return (
    JSON_BODY.test(header('content-type') ?? '') &&
    header('content-encoding') === undefined &&
    Number(header('content-length') ?? 0) <= largestBodyBytes
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

/** Whether these are one operation's parameters, and not a batch or nothing that an answer could be about. */
export function isOne(sent: unknown): boolean {
  return typeof sent === 'object' && sent !== null && !Array.isArray(sent)
}
