import { type Logger, withoutRedaction } from '../telemetry/log.ts'
import type { Metrics, Outcome } from '../telemetry/metrics.ts'
import { Admission } from './admission.ts'
import { currentExchange, type Exchange } from './exchange.ts'
import { CLIENT_GONE, type Ended, Exchanges } from './exchanges.ts'
import { isProbe, toLogLine } from './request-log.ts'

export interface RequestSettings {
  /** The longest a request may take. */
  readonly timeoutMs: number
  /** How many operations may be under way at once. */
  readonly mostUnderWay: number
}

/** Bounds requests in time and number, logs a line of each and counts them. `metrics`: where they are wanted. */
export function observeRequests(
  settings: RequestSettings,
  log: Logger,
  metrics: () => Metrics | null,
) {
  const lines = withoutRedaction(log)
  const admission = new Admission(settings.mostUnderWay, () => metrics()?.shed())
  const onEnd = (exchange: Exchange, ended: Ended) => {
    admission.leave(exchange, Number.POSITIVE_INFINITY)
    lines[isProbe(exchange) ? 'debug' : 'info'](toLogLine(exchange, ended), 'request')
    for (const { name } of exchange.operations)
      metrics()?.request(name, outcomeOf(exchange, ended), ended.durationMs / 1000)
    for (const code of exchange.codes) metrics()?.error(code)
  }
  return {
    admission,
    exchanges: new Exchanges({ timeoutMs: settings.timeoutMs, onEnd }),
    /** What the steps of a request tell of it, whichever it is. */
    current: {
      id: () => currentExchange()?.id,
      isGivenUp: () => {
        const { ending, shed } = currentExchange() ?? {}
        return shed === true || ending?.isEarly === true
      },
      enter: () => ifAny((exchange) => admission.enter(exchange)),
      leave: () => ifAny((exchange) => admission.leave(exchange)),
      operation: (type: string, name: string | null) =>
        ifAny((exchange) => exchange.operations.push({ type, name })),
      caller: (kind: string) =>
        ifAny((exchange) => {
          exchange.caller = kind
        }),
      error: (code: string) => ifAny((exchange) => exchange.codes.add(code)),
    },
  }
}

function ifAny(tell: (exchange: Exchange) => unknown): void {
  const exchange = currentExchange()
  if (exchange) tell(exchange)
}

const OURS = ['UNAVAILABLE', 'TIMEOUT']

function outcomeOf({ codes }: Exchange, { status }: Ended): Outcome {
  if (status === CLIENT_GONE) return 'gone'
  if (codes.has('INTERNAL') || status === 500) return 'failed'
  if (OURS.some((code) => codes.has(code)) || status === 503) return 'unavailable'
  return codes.size > 0 || status >= 400 ? 'refused' : 'answered'
}
