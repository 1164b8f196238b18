import type { IncomingMessage, RequestListener } from 'node:http'
import { GatewayError } from '../domain/errors.ts'
import { startRequestSpan } from '../telemetry/tracing.ts'
import { Deadlines } from './deadlines.ts'
import { Ending } from './ending.ts'
import { createExchange, type Exchange, runIn } from './exchange.ts'
import { requestIdOf } from './request-id.ts'

export interface ExchangesOptions {
  /** The longest a request may take; what it still waits for then fails with TIMEOUT. */
  readonly timeoutMs: number
  /** Told once of each, when its answer has been sent or given up. */
  readonly onEnd: (exchange: Exchange, ended: Ended) => void
}

export interface Ended {
  /** Of HTTP, or `CLIENT_GONE`. */
  readonly status: number
  readonly durationMs: number
}

/** As nginx writes it into its log: the client closed the connection before it had the answer. */
export const CLIENT_GONE = 499

/** Begins and ends exchanges around whatever answers requests, so that nothing inside has to be told of them. */
export class Exchanges {
  readonly #onEnd: ExchangesOptions['onEnd']
  readonly #deadlines: Deadlines<Ending>

  constructor({ timeoutMs, onEnd }: ExchangesOptions) {
    this.#onEnd = onEnd
    this.#deadlines = new Deadlines(timeoutMs, (ending) =>
      ending.abort(new GatewayError('TIMEOUT', 'The request took too long.')),
    )
  }

  node(answer: RequestListener): RequestListener {
    return (request, response) => {
      const { exchange, run, abort, end } = this.#begin(
        request.method ?? '',
        pathOf(request.url ?? ''),
        (name) => headerOf(request, name),
      )
      response.setHeader('x-request-id', exchange.id)
      response.once('close', () => {
        const gone = !response.writableFinished
        if (gone) abort(clientGone())
        end(gone ? CLIENT_GONE : response.statusCode)
      })
      run(() => answer(request, response))
    }
  }

  fetch(answer: (request: Request) => Response | Promise<Response>) {
    return async (request: Request): Promise<Response> => {
      const { exchange, run, abort, end } = this.#begin(
        request.method,
        pathOf(request.url.replace(/^[a-z]+:\/\/[^/]*/i, '')),
        (name) => request.headers.get(name) ?? undefined,
      )
      const onAbort = () => abort(clientGone())
      request.signal?.addEventListener('abort', onAbort, { once: true })
      try {
        const response = await run(() => answer(request))
        response.headers.set('x-request-id', exchange.id)
        end(response.status)
        return response
      } catch (error) {
        end(request.signal?.aborted ? CLIENT_GONE : 500)
        throw error
      } finally {
        request.signal?.removeEventListener('abort', onAbort)
      }
    }
  }

  #begin(method: string, path: string, header: (name: string) => string | undefined) {
    const request = { id: requestIdOf(header), method, path }
    const span = startRequestSpan(request, header)
    const ending = new Ending()
    const exchange = createExchange(request, ending)
    this.#deadlines.set(ending)
    return {
      exchange,
      run: <Result>(work: () => Result) => span.run(() => runIn(exchange, work)),
      abort: (reason: GatewayError) => ending.abort(reason),
      end: (status: number) => {
        this.#deadlines.forget(ending)
        const { codes, operations } = exchange
        span.end({ codes, operations, status })
        this.#onEnd(exchange, { status, durationMs: performance.now() - exchange.begunAt })
      },
    }
  }
}

function clientGone(): GatewayError {
  return new GatewayError('UNAVAILABLE', 'The client is gone.')
}

function pathOf(url: string): string {
  return url.split(/[?#]/, 1)[0] || '/'
}

function headerOf({ headers }: IncomingMessage, name: string): string | undefined {
  const value = headers[name]
  return typeof value === 'string' ? value : undefined
}
