import { AsyncResource } from 'node:async_hooks'
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import type { GraphQLError } from 'graphql'
import { type FetchAPI, type GraphQLParams, processRegularResult } from 'graphql-yoga'
import { GatewayError } from '../domain/errors.ts'
import type { RateLimit } from '../domain/rate.ts'
import { requestError } from '../operation/errors.ts'
import { tooMany } from './rate-limit.ts'
import { checkValues } from './request-values.ts'

/** What the lane needs of Yoga: its way of executing, past its way of reading requests and writing responses. */
export interface LeanLaneOptions {
  readonly yoga: RequestListener & Executor
  readonly path: string
  readonly largestBodyBytes: number
  /** The most values in a body. */
  readonly mostValues: number
  /** `null`: any number of requests. */
  readonly rate: RateLimit | null
  /** Of a response to a page of this origin. */
  readonly corsHeaders: (origin: string | undefined) => Readonly<Record<string, string>>
  readonly mask: (error: unknown) => GraphQLError
}

interface Executor {
  readonly fetchAPI: FetchAPI
  getResultForParams(asked: { params: GraphQLParams; request: Request }, context: object): unknown
}

/**
 * The way of the usual request: POST with a JSON body of known length, to be answered as JSON. Yoga's HTTP layer, which
 * can do very much more, costs more than most queries; this reads the body from Node.js itself, lets Yoga and all its
 * plugins execute, and writes what Yoga's own processor makes of the result. Whatever is unusual about a request goes
 * Yoga's way, so both lanes answer everything alike. Hooks of HTTP (onRequest, onRequestParse, onResultProcess,
 * onResponse) do not run here; those of GraphQL, from onParams on, do.
 */
export function createLeanLane(options: LeanLaneOptions): RequestListener {
  // Yoga makes these anew whenever they are asked for.
  const { fetchAPI, getResultForParams } = options.yoga
  const executor = { fetchAPI, getResultForParams }
  return (request, response) => {
    const mediaType = isUsual(request, options) ? answeredAs(request.headers.accept) : undefined
    if (mediaType === undefined) return options.yoga(request, response)
    const chunks: Buffer[] = []
    const exchange = { request, response, mediaType }
    const onEnd = () => {
      const body = chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks)
      let params: unknown
      try {
        params = parse(body.toString('utf8'), options.mostValues)
      } catch (error) {
        return send(options, exchange, failed(options.mask(error)))
      }
      // Yoga takes the body from here when the stream was read already.
      if (!isOne(params)) return options.yoga(Object.assign(request, { body }), response)
      void answer(options, executor, exchange, params)
    }
    const read = () => {
      // The event comes from the connection; what follows belongs to this request.
      const own = new AsyncResource('LeanLane')
      request.on('data', (chunk: Buffer) => chunks.push(chunk))
      request.on('end', () => own.runInAsyncScope(onEnd))
    }
    if (options.rate === null) return read()
    count(options.rate, request).then(
      (seconds) => (seconds === null ? read() : respond(options, exchange, tooMany(seconds))),
      () => options.yoga(request, response),
    )
  }
}

function count(rate: RateLimit, { socket, headers }: IncomingMessage): Promise<number | null> {
  const forwarded = headers['x-forwarded-for']
  return rate.ofAddress({
    remoteAddress: socket.remoteAddress,
    forwardedFor: typeof forwarded === 'string' ? forwarded : null,
  })
}

interface Exchange {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly mediaType: string
}

type Result = Parameters<typeof processRegularResult>[0]

async function answer(
  options: LeanLaneOptions,
  { fetchAPI, getResultForParams }: Executor,
  exchange: Exchange,
  params: GraphQLParams,
): Promise<void> {
  const { request, response } = exchange
  const asked = new fetchAPI.Request(
    `http://${request.headers.host ?? 'localhost'}${request.url}`,
    {
      method: 'POST',
      headers: request.headers as Record<string, string>,
    },
  )
  let result: Result
  try {
    const context = { req: request, res: response }
    result = (await getResultForParams({ params, request: asked }, context)) as Result
  } catch (error) {
    result = failed(options.mask(error))
  }
  send(options, exchange, result)
}

function failed(error: GraphQLError): Result {
  return { errors: [error] } as unknown as Result
}

function send(options: LeanLaneOptions, exchange: Exchange, result: Result): void {
  const answer = processRegularResult(result, plain, exchange.mediaType)
  respond(options, exchange, answer as unknown as Plain)
}

function respond(
  { corsHeaders }: LeanLaneOptions,
  { request, response }: Exchange,
  { status, headers, body }: Plain,
): void {
  response.writeHead(status, {
    ...headers,
    'content-length': Buffer.byteLength(body),
    ...corsHeaders(request.headers.origin),
  })
  response.end(body)
}

/** Takes the place of a Response, of which only these are needed. */
class Plain {
  readonly body: string
  readonly status: number
  readonly headers: Readonly<Record<string, string>>

  constructor(body: string, init: { status: number; headers: Record<string, string> }) {
    this.body = body
    this.status = init.status
    this.headers = init.headers
  }
}

const plain = { Response: Plain } as unknown as FetchAPI

const JSON_BODY = /^application\/json(; ?charset=utf-8)?$/
const LENGTH = /^[1-9]\d{0,8}$/
/** Headers that change what is read or written, in ways that are Yoga's to know. */
const unusual = [
  'content-encoding',
  'transfer-encoding',
  'access-control-request-method',
  'access-control-request-headers',
] as const

function isUsual({ method, url, headers }: IncomingMessage, options: LeanLaneOptions): boolean {
  const length = headers['content-length'] ?? ''
  return (
    method === 'POST' &&
    url === options.path &&
    JSON_BODY.test(headers['content-type'] ?? '') &&
    LENGTH.test(length) &&
    Number(length) <= options.largestBodyBytes &&
    unusual.every((name) => headers[name] === undefined)
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
    throw requestError(new GatewayError('BAD_REQUEST', 'POST body sent invalid JSON.'), {
      status: 400,
    })
  }
}

/** Whether these are one operation's parameters, for Yoga to check, and not a batch or nothing that it knows. */
function isOne(params: unknown): params is GraphQLParams {
  return typeof params === 'object' && params !== null && !Array.isArray(params)
}
