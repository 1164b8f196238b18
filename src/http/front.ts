import type { IncomingMessage, RequestListener } from 'node:http'
import type { ExecutionResult } from 'graphql'
import { paths, type Route } from '../authzen/answer.ts'
import { GatewayError } from '../domain/errors.ts'
import type { RateLimit } from '../domain/rate.ts'
import { asRequestError, badRequest, rateLimited, requestError } from '../operation/errors.ts'
import type { Tell } from '../operation/tell.ts'
import { RequestScope, runIn } from '../scope.ts'
import { noSpan, startRequestSpan } from '../telemetry/tracing.ts'
import { type About, tellAbout } from './about.ts'
import { type AuthzenLane, sendRefusal, toRefusal } from './authzen.ts'
import { bodyReadBefore } from './body.ts'
import type { RequestOrigin } from './client-address.ts'
import { corsFor } from './cors.ts'
import { acceptsEvents } from './event-stream.ts'
import { type Head, headOfFetch, headOfNode, namesTarget, requestIdOf } from './head.ts'
import type { Lane } from './lane.ts'
import { CLIENT_GONE, isProbe } from './log.ts'
import type { ProtectedResource } from './protected-resource.ts'
import type { Unsent } from './unsent.ts'
import { send, toldAtEnd, toResponse } from './write.ts'

export interface FrontOptions {
  /** Whatever answers requests, behind the front. */
  readonly node: Lane
  readonly fetch: (request: Request) => Response | Promise<Response>
  /** Where operations are asked for: requests to it are counted. */
  readonly endpoint: string
  /** Answers questions of the Authorization API, whose requests are counted as well; `null`: it is off. */
  readonly authzen: AuthzenLane | null
  /** `null`: any number of requests. */
  readonly rate: Pick<RateLimit, 'ofAddress'> | null
  /** Where a request comes from, as far as proxies are believed. */
  readonly addressOf: (origin: RequestOrigin) => string
  /** In which proxies write the address of a client. */
  readonly forwardedHeader: string
  readonly corsOrigins: readonly string[]
  /** Headers of a request by which answers differ. */
  readonly varyBy: readonly string[]
  readonly about: About
  readonly unsent: Unsent
  /** `null`: nothing is told of where access tokens come from. */
  readonly resource: ProtectedResource | null
  /** The longest a request may take; what it still waits for then fails with TIMEOUT, and the request where that is not enough. */
  readonly timeoutMs: number
  readonly tell: Tell
  /** Told once of each request, when its answer has been sent or given up. */
  readonly onEnd: (scope: RequestScope, status: number) => void
}

/**
 * What is the same for every request, whatever it asks and whichever server brings it: a scope with an id, a span and a
 * deadline; CORS; a target that makes sense; the count of its address.
 */
export class Front {
  readonly #options: FrontOptions
  readonly #cors: (head: Head) => Readonly<Record<string, string>>

  constructor(options: FrontOptions) {
    this.#options = options
    this.#cors = corsFor(options.corsOrigins, options.varyBy)
  }

  readonly node: RequestListener = (request, response) => {
    const head = headOfNode(request)
    const asked = this.#options.authzen?.routeOf(head) ?? null
    const sendError = asked === null ? send : sendRefusal
    const { scope, route, headers, run, end } = this.#begin(head, asked, (scope) => {
      const answer = () => sendError(response, this.#tooLate(scope, request))
      // Nothing answers by itself while it waits for a body.
      if (request.complete) setTimeout(answer, OWN_ANSWER_MS)
      else answer()
    })
    for (const name in headers) response.setHeader(name, headers[name] ?? '')
    this.#options.unsent.watch(response, scope)
    response.once('close', () => {
      // Whoever takes events goes when they please.
      const gone = !response.writableFinished && scope.events === null
      if (!response.writableFinished) scope.endEarly(clientGone())
      end(gone ? CLIENT_GONE : response.statusCode)
    })
    const goOn = (refused: ExecutionResult | null) => {
      const own = ownAnswer(head, this.#options)
      if (refused) sendError(response, refused)
      else if (own) response.writeHead(own.status, own.headers).end(own.body)
      else {
        const body = head.method === 'POST' ? bodyReadBefore(request) : null
        const arrival = { request, response, head, body }
        if (asked === null) this.#options.node(arrival)
        else this.#options.authzen?.node(asked, arrival)
      }
    }
    const refuse = (error: unknown) => sendError(response, this.#options.tell(scope, [error]))
    run(() => {
      const refused = this.#refuse(head, scope, route)
      if (refused instanceof Promise) return void refused.then(goOn).catch(refuse)
      try {
        goOn(refused)
      } catch (error) {
        refuse(error)
      }
    })
  }

  readonly fetch = async (request: Request): Promise<Response> => {
    const head = headOfFetch(request)
    const { authzen } = this.#options
    const asked = authzen?.routeOf(head) ?? null
    const toError = asked === null ? toResponse : toRefusal
    let onDeadline = (_scope: RequestScope): void => {}
    const late = new Promise<Response>((resolve) => {
      onDeadline = (scope) => {
        setTimeout(() => resolve(toError(this.#tooLate(scope))), OWN_ANSWER_MS)
      }
    })
    const { scope, route, headers, run, end } = this.#begin(head, asked, onDeadline)
    scope.takesEvents = acceptsEvents(head)
    const onAbort = () => scope.endEarly(clientGone())
    request.signal?.addEventListener('abort', onAbort, { once: true })
    const onEnd = (status: number) => {
      request.signal?.removeEventListener('abort', onAbort)
      end(status)
    }
    try {
      const answered = run(async () => {
        const refused = await this.#refuse(head, scope, route)
        if (refused) return toError(refused)
        const own = ownAnswer(head, this.#options)
        if (own) return new Response(own.body, own)
        return authzen && asked ? authzen.fetch(asked, head, request) : this.#options.fetch(request)
      })
      const response = await Promise.race([answered, late])
      // What an answer says of itself goes before.
      for (const name in headers)
        if (!response.headers.has(name)) response.headers.set(name, headers[name] ?? '')
      if (scope.events !== null) return toldAtEnd(response, () => onEnd(response.status))
      onEnd(response.status)
      return response
    } catch (error) {
      onEnd(request.signal?.aborted ? CLIENT_GONE : 500)
      throw error
    }
  }

  /** @param asked Of the Authorization API; `null`: nothing of it. */
  #begin(head: Head, asked: Route | null, onDeadline: (scope: RequestScope) => void) {
    const { method, path, place, header, remoteAddress } = head
    const { addressOf, endpoint, forwardedHeader } = this.#options
    const address = addressOf({ remoteAddress, forwardedFor: header(forwardedHeader) })
    const scope = new RequestScope({ id: requestIdOf(head), method, path, address })
    const own = place === endpoint ? endpoint : null
    // What requests are counted at, by their span and for their address; `null`: at nothing.
    const route = asked === null ? own : paths[asked]
    // The Authorization API has whatever comes sent back; what is logged is well-formed.
    const requestId = (asked === null ? undefined : header('x-request-id')) ?? scope.id
    const span = isProbe(head) ? noSpan : startRequestSpan(scope, head, route)
    const deadline = setTimeout(() => {
      // Each event has a deadline of its own.
      if (scope.events !== null) return
      scope.endEarly(tookTooLong())
      onDeadline(scope)
    }, this.#options.timeoutMs).unref()
    return {
      scope,
      route,
      headers: { ...this.#cors(head), 'x-request-id': requestId } as Readonly<
        Record<string, string>
      >,
      run: <Result>(work: () => Result) => span.run(() => runIn(scope, work)),
      end: (status: number) => {
        clearTimeout(deadline)
        // Its line of the log names the span.
        span.run(() => this.#options.onEnd(scope, status))
        span.end(status)
      },
    }
  }

  /** Of a request that has no answer of its own after its deadline: an error, and another one where its body is missing. */
  #tooLate(scope: RequestScope, request?: IncomingMessage): ExecutionResult {
    const error =
      request?.complete === false
        ? requestError('TIMEOUT', TOOK_TOO_LONG, { status: 408, headers: { connection: 'close' } })
        : asRequestError(tookTooLong())
    return this.#options.tell(scope, [error])
  }

  /** What ends a request before anything else looks at it; `null`: nothing does. */
  #refuse(
    head: Head,
    scope: RequestScope,
    route: string | null,
  ): ExecutionResult | null | Promise<ExecutionResult | null> {
    const { rate, tell } = this.#options
    const refusal = (error: unknown) => tell(scope, [error])
    if (!namesTarget(head)) return refusal(badRequest(400, 'The request names no valid target.'))
    if (!rate || route === null || head.method === 'OPTIONS') return null
    return rate
      .ofAddress(scope.address)
      .then((seconds) => (seconds === null ? null : refusal(rateLimited(seconds))), refusal)
  }
}

function clientGone(): GatewayError {
  return new GatewayError('UNAVAILABLE', 'The client is gone.')
}

function tookTooLong(): GatewayError {
  return new GatewayError('TIMEOUT', TOOK_TOO_LONG)
}

const TOOK_TOO_LONG = 'The request took too long.'

/** In which a request that is past its deadline answers by itself, with what it has. */
const OWN_ANSWER_MS = 500

/** To what is no matter of the lanes: pages of other origins that ask first, clients that look for an issuer, and balancers whose probe is `/`. */
function ownAnswer(
  head: Head,
  { about, resource, authzen }: Pick<FrontOptions, 'about' | 'resource' | 'authzen'>,
) {
  const { method, path, place } = head
  // Safari waits for a body unless it is told that there is none.
  if (method === 'OPTIONS') return { status: 204, headers: { 'content-length': '0' }, body: null }
  if (method !== 'GET' && method !== 'HEAD') return null
  const metadata = resource?.paths.includes(path) ? resource.metadata : authzen?.metadataFor(head)
  if (metadata != null)
    return { status: 200, headers: { 'content-type': 'application/json' }, body: metadata }
  return path === '/' && place === '/' ? tellAbout(about, head) : null
}
