import type { RequestListener, ServerResponse } from 'node:http'
import { GatewayError } from '../domain/errors.ts'
import type { RateLimit } from '../domain/rate.ts'
import { badRequest } from '../operation/errors.ts'
import { rateLimited } from '../operation/refusals.ts'
import type { Tell } from '../operation/tell.ts'
import { RequestScope, runIn } from '../scope.ts'
import { startRequestSpan } from '../telemetry/tracing.ts'
import { corsFor } from './cors.ts'
import { Deadlines } from './deadlines.ts'
import { type Head, headOfFetch, headOfNode } from './head.ts'
import { CLIENT_GONE, type Ended } from './log.ts'
import { requestIdOf } from './request-id.ts'
import { isWellFormed } from './request-target.ts'
import { Plain, write } from './write.ts'

export interface FrontOptions {
  /** Whatever answers requests, behind the front. */
  readonly node: RequestListener
  readonly fetch: (request: Request) => Response | Promise<Response>
  /** Where operations are asked for: requests to it are counted. */
  readonly endpoint: string
  /** `null`: any number of requests. */
  readonly rate: Pick<RateLimit, 'ofAddress'> | null
  readonly corsOrigins: readonly string[]
  /** The longest a request may take; what it still waits for then fails with TIMEOUT. */
  readonly timeoutMs: number
  readonly tell: Tell
  /** Told once of each request, when its answer has been sent or given up. */
  readonly onEnd: (scope: RequestScope, ended: Ended) => void
}

/**
 * What is the same for every request, whatever it asks and whichever server brings it: a scope with an id, a span and a
 * deadline; CORS; a target that makes sense; the count of its address.
 */
export class Front {
  readonly #options: FrontOptions
  readonly #cors: (head: Head) => Readonly<Record<string, string>>
  readonly #deadlines: Deadlines<RequestScope['ending']>

  constructor(options: FrontOptions) {
    this.#options = options
    this.#cors = corsFor(options.corsOrigins)
    this.#deadlines = new Deadlines(options.timeoutMs, (ending) =>
      ending.abort(new GatewayError('TIMEOUT', 'The request took too long.')),
    )
  }

  readonly node: RequestListener = (request, response) => {
    const head = headOfNode(request)
    const { scope, headers, run, end } = this.#begin(head)
    for (const name in headers) response.setHeader(name, headers[name] ?? '')
    response.once('close', () => {
      const gone = !response.writableFinished
      if (gone) scope.ending.abort(clientGone())
      end(gone ? CLIENT_GONE : response.statusCode)
    })
    run(() => {
      const refused = this.#refuse(head, scope)
      if (refused === null) this.#options.node(request, response)
      else if (refused instanceof Plain) send(response, refused)
      else
        void refused.then((late) =>
          late ? send(response, late) : this.#options.node(request, response),
        )
    })
  }

  readonly fetch = async (request: Request): Promise<Response> => {
    const head = headOfFetch(request)
    const { scope, headers, run, end } = this.#begin(head)
    const onAbort = () => scope.ending.abort(clientGone())
    request.signal?.addEventListener('abort', onAbort, { once: true })
    try {
      const response = await run(async () => {
        const refused = await this.#refuse(head, scope)
        return refused ? toResponse(refused) : this.#options.fetch(request)
      })
      for (const name in headers) response.headers.set(name, headers[name] ?? '')
      end(response.status)
      return response
    } catch (error) {
      end(request.signal?.aborted ? CLIENT_GONE : 500)
      throw error
    } finally {
      request.signal?.removeEventListener('abort', onAbort)
    }
  }

  #begin(head: Head) {
    const id = requestIdOf(head)
    const span = startRequestSpan({ id, ...head }, head.header)
    const scope = new RequestScope({ id, method: head.method, path: head.path })
    this.#deadlines.set(scope.ending)
    return {
      scope,
      headers: { 'x-request-id': id, ...this.#cors(head) } as Readonly<Record<string, string>>,
      run: <Result>(work: () => Result) => span.run(() => runIn(scope, work)),
      end: (status: number) => {
        this.#deadlines.forget(scope.ending)
        const { codes, operations, begunAt } = scope
        span.end({ codes, operations, status })
        this.#options.onEnd(scope, { status, durationMs: performance.now() - begunAt })
      },
    }
  }

  /** What ends a request before anything else looks at it; `null`: nothing does. */
  #refuse(head: Head, scope: RequestScope): Plain | null | Promise<Plain | null> {
    const { endpoint, rate, tell } = this.#options
    const refusal = (error: unknown) => write(tell(scope, [error]))
    if (!isWellFormed(head.header('host'), head.target))
      return refusal(badRequest(400, 'The request names no valid target.'))
    // Safari waits for a body unless it is told that there is none.
    if (head.method === 'OPTIONS')
      return new Plain('', { status: 204, headers: { 'content-length': '0' } })
    if (!rate || head.path !== endpoint) return null
    const origin = {
      remoteAddress: head.remoteAddress,
      forwardedFor: head.header('x-forwarded-for'),
    }
    return rate
      .ofAddress(origin)
      .then((seconds) => (seconds === null ? null : refusal(rateLimited(seconds))), refusal)
  }
}

function clientGone(): GatewayError {
  return new GatewayError('UNAVAILABLE', 'The client is gone.')
}

function send(response: ServerResponse, { status, headers, body }: Plain): void {
  response.writeHead(status, { 'content-length': Buffer.byteLength(body), ...headers }).end(body)
}

function toResponse({ status, headers, body }: Plain): Response {
  return new Response(body === '' ? null : body, { status, headers })
}
