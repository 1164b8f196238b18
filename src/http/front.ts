import type { RequestListener } from 'node:http'
import type { ExecutionResult } from 'graphql'
import { GatewayError } from '../domain/errors.ts'
import type { RateLimit } from '../domain/rate.ts'
import { badRequest } from '../operation/errors.ts'
import { rateLimited } from '../operation/refusals.ts'
import type { Tell } from '../operation/tell.ts'
import { RequestScope, runIn } from '../scope.ts'
import { startRequestSpan } from '../telemetry/tracing.ts'
import { corsFor } from './cors.ts'
import { type Head, headOfFetch, headOfNode, namesTarget, requestIdOf } from './head.ts'
import { CLIENT_GONE } from './log.ts'
import { send, toResponse } from './write.ts'

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
    this.#cors = corsFor(options.corsOrigins)
  }

  readonly node: RequestListener = (request, response) => {
    const head = headOfNode(request)
    const { scope, headers, run, end } = this.#begin(head)
    for (const name in headers) response.setHeader(name, headers[name] ?? '')
    response.once('close', () => {
      const gone = !response.writableFinished
      if (gone) scope.endEarly(clientGone())
      end(gone ? CLIENT_GONE : response.statusCode)
    })
    const goOn = (refused: ExecutionResult | null) => {
      if (refused) send(response, refused)
      else if (head.method === 'OPTIONS') response.writeHead(204, NO_BODY).end()
      else this.#options.node(request, response)
    }
    run(() => {
      const refused = this.#refuse(head, scope)
      if (refused instanceof Promise) void refused.then(goOn)
      else goOn(refused)
    })
  }

  readonly fetch = async (request: Request): Promise<Response> => {
    const head = headOfFetch(request)
    const { scope, headers, run, end } = this.#begin(head)
    const onAbort = () => scope.endEarly(clientGone())
    request.signal?.addEventListener('abort', onAbort, { once: true })
    try {
      const response = await run(async () => {
        const refused = await this.#refuse(head, scope)
        if (refused) return toResponse(refused)
        if (head.method === 'OPTIONS') return new Response(null, { status: 204, headers: NO_BODY })
        return this.#options.fetch(request)
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
    const { method, path, header } = head
    const scope = new RequestScope({ id: requestIdOf(head), method, path })
    const span = startRequestSpan(scope, header)
    const deadline = setTimeout(
      () => scope.endEarly(new GatewayError('TIMEOUT', 'The request took too long.')),
      this.#options.timeoutMs,
    ).unref()
    return {
      scope,
      headers: { 'x-request-id': scope.id, ...this.#cors(head) } as Readonly<
        Record<string, string>
      >,
      run: <Result>(work: () => Result) => span.run(() => runIn(scope, work)),
      end: (status: number) => {
        clearTimeout(deadline)
        span.end(status)
        this.#options.onEnd(scope, status)
      },
    }
  }

  /** What ends a request before anything else looks at it; `null`: nothing does. */
  #refuse(
    head: Head,
    scope: RequestScope,
  ): ExecutionResult | null | Promise<ExecutionResult | null> {
    const { endpoint, rate, tell } = this.#options
    const refusal = (error: unknown) => tell(scope, [error])
    if (!namesTarget(head)) return refusal(badRequest(400, 'The request names no valid target.'))
    if (!rate || head.path !== endpoint || head.method === 'OPTIONS') return null
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

/** Safari waits for a body unless it is told that there is none. */
const NO_BODY = { 'content-length': '0' }
