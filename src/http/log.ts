import type { RequestScope } from '../scope.ts'
import { type Logger, withoutRedaction } from '../telemetry/log.ts'
import type { Metrics, Outcome, Status } from '../telemetry/metrics.ts'

/** In place of a status of HTTP, as nginx writes it into its log: the client closed the connection before it had the answer. */
export const CLIENT_GONE = 499

/**
 * Logs one line of each request, and counts it.
 * @param share Of the requests without an error: how many have a line. `null`: no request has one.
 */
export function recordRequests(log: Logger, metrics: Metrics | null, share: number | null = 1) {
  const isLogged = (failed: boolean) => share !== null && (failed || Math.random() < share)
  const lines = withoutRedaction(log)
  return (scope: RequestScope, status: number): void => {
    const durationMs = performance.now() - scope.begunAt
    const probe = isProbe(scope)
    if (isLogged(status >= 400 || scope.codes.size > 0))
      lines[probe ? 'debug' : 'info'](toLogLine(scope, status, durationMs), 'request')
    if (!probe) metrics?.response(classOf(status))
    // How long somebody listens says nothing of how long anybody waits.
    for (const { name } of scope.events === null ? scope.operations : [])
      metrics?.request(name, outcomeOf(scope, status), durationMs / 1000)
    for (const code of scope.codes) metrics?.error(code)
  }
}

/**
 * It names what was asked only where that is one of the operator's own documents, and holds nothing else of what the
 * client sent but method, path and, where well-formed, its id.
 */
function toLogLine(scope: RequestScope, status: number, durationMs: number): object {
  const { id, method, path, operations, caller, codes, refusedFor, cookieIgnored, events } = scope
  return {
    requestId: id,
    method,
    path,
    status,
    durationMs: Math.round(durationMs),
    ...(operations.length === 0 ? {} : { operations }),
    ...(events === null ? {} : { events }),
    ...(caller === null ? {} : { caller }),
    ...(codes.size === 0 ? {} : { codes: [...codes] }),
    ...(refusedFor === null ? {} : { refused: refusedFor }),
    ...(cookieIgnored === null ? {} : { cookieIgnored }),
  }
}

/** Asked by machines every few seconds: their answers say nothing of what clients are told. */
export function isProbe({ method, path }: Pick<RequestScope, 'method' | 'path'>): boolean {
  return (method === 'GET' || method === 'HEAD') && /^\/$|\/(?:health|ready)$/.test(path)
}

function classOf(status: number): Status {
  return status === CLIENT_GONE ? 'aborted' : (`${Math.floor(status / 100)}xx` as Status)
}

const OURS = ['UNAVAILABLE', 'TIMEOUT']

function outcomeOf({ codes }: RequestScope, status: number): Outcome {
  if (status === CLIENT_GONE) return 'gone'
  if (codes.has('INTERNAL') || status === 500) return 'failed'
  if (OURS.some((code) => codes.has(code)) || status === 503) return 'unavailable'
  return codes.size > 0 || status >= 400 ? 'refused' : 'answered'
}
