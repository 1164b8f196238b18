import {
  type Attributes,
  context,
  ProxyTracerProvider,
  propagation,
  type Span,
  SpanKind,
  SpanStatusCode,
  TraceFlags,
  trace,
} from '@opentelemetry/api'
import { version } from './version.ts'

/*
 * Spans by way of OpenTelemetry's API alone, named and described as its semantic conventions have it. Whoever runs the
 * gateway brings the SDK that collects and sends them; without one, nothing is done here. Spans hold no SQL, no ids and,
 * but for the host and the path that a request was sent to, nothing that a client chose.
 */

const NAME = 'identity-gateway'
const tracer = trace.getTracer(NAME, version)

/** What spans tell of a request. */
interface Traced {
  readonly id: string
  readonly method: string
  readonly path: string
  readonly codes: ReadonlySet<string>
  readonly operations: readonly { readonly type: string; readonly name: string | null }[]
}

export interface RequestSpan {
  /** What is traced within is part of it. */
  run<Result>(work: () => Result): Result
  end(status: number): void
}

/** In place of the span of a request that is to have none. */
export const noSpan: RequestSpan = { run: (work) => work(), end: () => {} }

/**
 * Goes on with the trace of its `traceparent` header, if there is one.
 * @param route Which of the gateway's own places is asked; `null`: none that is there.
 */
export function startRequestSpan(
  request: Traced,
  { scheme, header }: { readonly scheme: string; header(name: string): string | undefined },
  route: string | null,
): RequestSpan {
  if (!isCollected()) return noSpan
  const parent = propagation.extract(context.active(), header, {
    get: (read, name) => read(name),
    keys: () => [],
  })
  const method = METHODS.has(request.method) ? request.method : '_OTHER'
  const [, address, name, port] = HOST.exec(header('host') ?? '') ?? []
  const attributes: Attributes = {
    'http.request.method': method,
    'http.route': route ?? undefined,
    'url.path': request.path,
    'url.scheme': scheme,
    'server.address': address ?? name,
    'server.port': port === undefined ? undefined : Number(port),
    'identity_gateway.request_id': request.id,
  }
  const called = [method === '_OTHER' ? 'HTTP' : method, route ?? []].flat().join(' ')
  const span = tracer.startSpan(called, { kind: SpanKind.SERVER, attributes }, parent)
  const active = trace.setSpan(parent, span)
  return {
    run: (work) => context.with(active, work),
    end: (status) => {
      const { codes, operations } = request
      span.setAttribute('http.response.status_code', status)
      for (const { type, name } of operations) {
        span.setAttribute('graphql.operation.type', type)
        if (name !== null) span.setAttribute('graphql.operation.name', name)
      }
      if (codes.size > 0) span.setAttribute('identity_gateway.codes', [...codes])
      const ours = status < 400 ? OURS.find((code) => codes.has(code)) : undefined
      const failure = status >= 500 ? String(status) : ours
      fail(span, failure)
      span.end()
    },
  }
}

/** Whether there is an SDK, which gives the API its tracers. */
function isCollected(): boolean {
  const provider = trace.getTracerProvider()
  return (
    !(provider instanceof ProxyTracerProvider) || provider.getDelegateTracer(NAME) !== undefined
  )
}

/** Those that the conventions know by their names. */
const METHODS = new Set('GET HEAD POST PUT PATCH DELETE OPTIONS TRACE CONNECT QUERY'.split(' '))

const HOST = /^(?:\[([\da-f:.]+)\]|([\w.-]+))(?::(\d{1,5}))?$/i

/** Codes of errors that are no fault of the client. */
const OURS = ['INTERNAL', 'TIMEOUT', 'UNAVAILABLE']

/** For lines of the log: which span is recording, by the names that OpenTelemetry's own instrumentation gives. */
export function currentSpan(): object {
  const span = trace.getActiveSpan()
  if (!span?.isRecording()) return {}
  const { traceId, spanId } = span.spanContext()
  return { trace_id: traceId, span_id: spanId }
}

/** Something that was asked of another system, and has just ended. */
interface Call {
  readonly durationMs: number
  /** What went wrong, in a word; absent: nothing did. */
  readonly failure: string | undefined
}

export interface Statement {
  readonly text: string
  /** Where it was sent. */
  readonly server: {
    readonly host: string
    readonly port: number
    readonly database?: string | undefined
  }
}

/** Of the text, only the tables are told. */
export function recordStatement(call: Call, { text, server }: Statement): void {
  recordCall(call, () => {
    const tables = [...text.matchAll(/\b(?:FROM|JOIN) (?:"[^"]+"\.)?"([^"]+)"/g)]
    const summary = [...new Set(['SELECT', ...tables.map(([, table]) => table)])].join(' ')
    return {
      name: summary,
      attributes: {
        'db.system.name': 'postgresql',
        'db.operation.name': 'SELECT',
        'db.query.summary': summary,
        'db.namespace': server.database,
        'server.address': server.host,
        'server.port': server.port,
      },
    }
  })
}

export function recordRedisCommand(call: Call, command: string): void {
  recordCall(call, () => ({
    name: command,
    attributes: { 'db.system.name': 'redis', 'db.operation.name': command },
  }))
}

/** @param status `null`: there was no answer. */
export function recordFetch(durationMs: number, url: URL, status: number | null): void {
  const failure = status === null ? '_OTHER' : status >= 400 ? String(status) : undefined
  recordCall({ durationMs, failure }, () => ({
    name: 'GET',
    attributes: {
      'http.request.method': 'GET',
      'http.response.status_code': status ?? undefined,
      'url.full': url.origin + url.pathname,
      'server.address': url.hostname,
      'server.port': Number(url.port) || (url.protocol === 'https:' ? 443 : 80),
    },
  }))
}

/** Only on behalf of a request whose trace is collected: what belongs to none would be a trace of its own. */
function recordCall(
  { durationMs, failure }: Call,
  describe: () => { readonly name: string; readonly attributes: Attributes },
): void {
  const { traceFlags = TraceFlags.NONE } = trace.getActiveSpan()?.spanContext() ?? {}
  if ((traceFlags & TraceFlags.SAMPLED) === 0) return
  const { name, attributes } = describe()
  const endedAt = performance.timeOrigin + performance.now()
  const startTime = endedAt - durationMs
  const span = tracer.startSpan(name, { kind: SpanKind.CLIENT, startTime, attributes })
  fail(span, failure)
  span.end(endedAt)
}

function fail(span: Span, failure: string | undefined): void {
  if (failure === undefined) return
  span.setAttribute('error.type', failure)
  span.setStatus({ code: SpanStatusCode.ERROR })
}
