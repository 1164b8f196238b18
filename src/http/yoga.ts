import type { IncomingMessage } from 'node:http'
import { Readable } from 'node:stream'
import { type ExecutionResult, GraphQLError, type GraphQLSchema } from 'graphql'
import { createYoga, type GraphQLParams, type Plugin, useReadinessCheck } from 'graphql-yoga'
import { badRequest, requestError } from '../operation/errors.ts'
import { currentScope } from '../scope.ts'
import { type Events, type Heartbeats, toEventResponse } from './event-stream.ts'
import { useCompressedPage } from './graphiql/compressed.ts'
import { type GraphiQLParts, graphiqlOf } from './graphiql/graphiql.ts'
import type { JsonLaneOptions } from './json.ts'
import type { Arrival } from './lane.ts'
import { checkValues, compressedBody, documentNamesIn, NO_JSON } from './values.ts'

export interface YogaOptions extends Omit<JsonLaneOptions, 'events' | 'otherwise'> {
  readonly schema: GraphQLSchema
  /** Why it is not ready, in a sentence that anybody may read, or `null`. */
  readonly findObstacle: () => Promise<string | null>
  /** `null`: no GraphiQL. */
  readonly graphiql: GraphiQLParts | null
  /** The most operations in one request. */
  readonly batchLimit: number
  /** Whether documents are named, and not sent. */
  readonly trusted: boolean
  readonly heartbeats: Heartbeats
}

/**
 * The HTTP adapter for whatever is unusual: GET, forms, batches, GraphiQL, other media types, bodies of unknown length.
 * Yoga reads requests and writes answers here; what is in between is `answer`, for each operation of a batch.
 */
export function createYogaLane(options: YogaOptions) {
  const { endpoint, findObstacle, largestBodyBytes, batchLimit } = options
  const maskError = (error: unknown) => {
    const scope = currentScope()
    const [told] = scope ? options.tell(scope, [error]).errors : []
    return told ?? new Error('Unexpected error.')
  }
  const yoga = createYoga({
    schema: options.schema,
    plugins: [
      useReadinessCheck({
        endpoint: '*/ready',
        check: async ({ fetchAPI }) => {
          const obstacle = await findObstacle()
          if (obstacle === null) return true
          return new fetchAPI.Response(`${obstacle}\n`, { status: 503, headers: PLAIN_TEXT })
        },
      }),
      useRequestBounds(options),
      useAnswer(options),
      useEvents(options),
      useCompressedPage(!options.graphiql?.graphiqlCallers?.length),
    ],
    maskedErrors: { maskError },
    // Below whatever path: servers of the Fetch API hand on the whole of it.
    graphqlEndpoint: `*${endpoint}{/}?`,
    healthCheckEndpoint: '/health',
    batching: { limit: batchLimit },
    maxRequestBodySize: largestBodyBytes,
    cors: false,
    parserAndValidationCache: false,
    multipart: false,
    landingPage: false,
    logging: false,
    ...graphiqlOf(options.graphiql, options.schema),
  })
  return {
    node: (arrival: Arrival) => void yoga.requestListener(toRequest(arrival), arrival.response),
    fetch: (request: Request) => yoga.fetch(withLowerCase(request)),
    dispose: () => yoga.dispose(),
  }
}

/**
 * What Yoga sees of a request: nothing that frameworks have added to it, of which it would read its path, its query and
 * a body that need not be the one that was sent.
 */
function toRequest({ request, head, body }: Arrival) {
  const { method = '', headers, socket } = request
  const seen = {
    method,
    url: `${head.place}${head.target.slice(head.path.length)}`,
    headers: isLowerCase(headers['content-type'])
      ? headers
      : { ...headers, 'content-type': headers['content-type']?.toLowerCase() },
    socket,
    body: body === null ? request : Readable.from([body]),
  }
  return seen as unknown as IncomingMessage
}

/** Yoga compares media types letter by letter, and they mean the same in capitals. */
function withLowerCase(request: Request): Request {
  const type = request.headers.get('content-type') ?? ''
  if (isLowerCase(type)) return request
  const headers = new Headers(request.headers)
  headers.set('content-type', type.toLowerCase())
  return new Request(request, { headers })
}

function isLowerCase(type = ''): boolean {
  return !/[A-Z]/.test(type)
}

const PLAIN_TEXT = { 'content-type': 'text/plain; charset=utf-8' }

/** What Yoga's own steps of an operation are given, which have nothing to do here. */
const NOTHING: GraphQLParams = { query: '{ __typename }' }

/** Has `answer` take the place of all that Yoga would do with an operation; its hooks of GraphQL never run. */
function useAnswer({ answer }: YogaOptions): Plugin {
  return {
    onParams({ params, request, setParams, setParamsHandler }) {
      setParams(NOTHING)
      setParamsHandler(() => {
        const scope = currentScope()
        if (!scope) throw new Error('An operation belongs to a request.')
        return answer(params, request.headers, scope) as Promise<Answered>
      })
    },
  }
}

/** Yoga sends either. */
type Answered = ExecutionResult<never> | AsyncIterable<ExecutionResult<never>>

/** Sends events to whoever takes them among other things. Yoga would send parts of a body to those that take these as well. */
function useEvents({ heartbeats }: YogaOptions): Plugin {
  return {
    onResultProcess({ result, setResultProcessor }) {
      if (!Array.isArray(result) && Symbol.asyncIterator in result)
        setResultProcessor(() => toEventResponse(result as Events, heartbeats), 'text/event-stream')
    },
  }
}

/** Of GET requests and of forms, Yoga reads only the parameters that GraphQL always had. */
function withNames(params: GraphQLParams, { method, url, headers }: Request, body: string) {
  const isForm = headers.get('content-type')?.startsWith('application/x-www-form-urlencoded')
  if (method !== 'GET' && !isForm) return params
  const fields = method === 'GET' ? new URL(url).searchParams : new URLSearchParams(body)
  return { ...params, ...documentNamesIn(fields) }
}

/**
 * Refuses, each with a code, what cannot be read as a request: a media type nobody knows, more values or operations than
 * one may have, or variables that are no JSON.
 */
function useRequestBounds({ mostValues, batchLimit, trusted }: YogaOptions): Plugin {
  return {
    onRequestParse({ requestParser, setRequestParser, fetchAPI }) {
      setRequestParser(async (request) => {
        const encoding = request.headers.get('content-encoding') ?? 'identity'
        if (encoding.toLowerCase() !== 'identity') throw compressedBody()
        if (!requestParser) throw badRequest(415, 'This media type is not understood.')
        let readable = request
        let body = ''
        if (request.method === 'POST') {
          body = await request.text()
          checkValues(body, mostValues)
          const { url, method, headers } = request
          readable = new fetchAPI.Request(url, { method, headers, body })
        }
        try {
          const sent = await requestParser(readable)
          if (!trusted || Array.isArray(sent) || sent instanceof fetchAPI.Response) return sent
          return withNames(sent, request, body)
        } catch (error) {
          throw asNoJson(error)
        }
      })
      return {
        onRequestParseDone({ requestParserResult }) {
          if (!Array.isArray(requestParserResult)) return
          const scope = currentScope()
          if (scope) scope.isBatch = true
          if (requestParserResult.length <= batchLimit) return
          const message = `A request takes at most ${batchLimit} operations.`
          throw requestError('LIMIT_EXCEEDED', message, { status: 413 })
        },
      }
    },
  }
}

/** What a parser of Yoga's throws, as a refusal where it is about JSON, whose status no media type changes. */
function asNoJson(error: unknown): unknown {
  if (error instanceof SyntaxError) return badRequest(400, NO_JSON)
  if (error instanceof GraphQLError && error.extensions.originalError)
    return badRequest(400, error.message)
  return error
}
