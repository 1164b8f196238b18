import { context, propagation, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api'

/*
 * Spans by way of OpenTelemetry's API alone. Whoever runs the gateway brings the SDK that collects and sends them;
 * without one, all this does nothing. Spans hold no SQL, no ids and no names that a client chose.
 */

const tracer = trace.getTracer('identity-gateway')

/** What spans tell of a request. */
interface Traced {
  readonly id: string
  readonly method: string
  readonly path: string
  readonly codes: ReadonlySet<string>
  readonly operations: readonly { readonly type: string; readonly name: string | null }[]
}

/** Goes on with the trace of its `traceparent` header, if there is one. */
export function startRequestSpan(request: Traced, header: (name: string) => string | undefined) {
  const parent = propagation.extract(context.active(), header, {
    get: (read, name) => read(name),
    keys: () => [],
  })
  const attributes = {
    'http.request.method': request.method,
    'url.path': request.path,
    'identity_gateway.request_id': request.id,
  }
  const span = tracer.startSpan(request.method, { kind: SpanKind.SERVER, attributes }, parent)
  const active = trace.setSpan(parent, span)
  return {
    /** What is traced within is part of it. */
    run: <Result>(work: () => Result) => context.with(active, work),
    end: (status: number) => {
      const { codes, operations } = request
      span.setAttribute('http.response.status_code', status)
      for (const { type, name } of operations) {
        span.setAttribute('graphql.operation.type', type)
        if (name !== null) span.setAttribute('graphql.operation.name', name)
      }
      if (codes.size > 0) span.setAttribute('identity_gateway.codes', [...codes])
      if (status >= 500) span.setStatus({ code: SpanStatusCode.ERROR })
      span.end()
    },
  }
}

/** For lines of the log: which span is recording, by the names that OpenTelemetry's own instrumentation gives. */
export function currentSpan(): object {
  const span = trace.getActiveSpan()
  if (!span?.isRecording()) return {}
  const { traceId, spanId } = span.spanContext()
  return { trace_id: traceId, span_id: spanId }
}

/** Something that was asked of another system, and has just ended. */
export function recordCall(call: {
  readonly system: 'postgresql' | 'redis'
  readonly name: string
  readonly durationMs: number
  readonly failed: boolean
}): void {
  const endedAt = performance.timeOrigin + performance.now()
  const span = tracer.startSpan(call.name, {
    kind: SpanKind.CLIENT,
    startTime: endedAt - call.durationMs,
    attributes: { 'db.system.name': call.system },
  })
  if (call.failed) span.setStatus({ code: SpanStatusCode.ERROR })
  span.end(endedAt)
}
