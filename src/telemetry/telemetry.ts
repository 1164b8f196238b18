import { describeError, type Logger } from './log.ts'
import { Metrics } from './metrics.ts'
import { recordCall } from './tracing.ts'

/** Where everything that happens is told: the log, the metrics where they are wanted, and spans. */
export class Telemetry {
  readonly log: Logger
  /** `null`: nothing is counted. */
  readonly metrics: Metrics | null

  constructor(log: Logger, { metrics }: { readonly metrics: boolean }) {
    this.log = log
    this.metrics = metrics ? new Metrics() : null
  }

  /** Tells the log of trouble that goes on by itself, in these words, and why where that can be said. */
  readonly trouble =
    (what: string, why?: (error: unknown) => string | undefined) => (error: unknown) =>
      this.log.warn({ error: describeError(error) }, [what, why?.(error) ?? []].flat().join(' '))

  readonly onStatement = (statement: { readonly durationMs: number; readonly outcome: string }) => {
    const { durationMs, outcome } = statement
    this.metrics?.statement(outcome, durationMs / 1000)
    const failed = outcome !== 'answered'
    recordCall({ system: 'postgresql', name: 'SELECT', durationMs, failed })
  }

  readonly onRedisAttempt = (
    of: 'reads' | 'writes',
    attempt: { readonly durationMs: number; readonly failed: boolean },
  ) => {
    this.metrics?.redis(of, attempt.failed, attempt.durationMs / 1000)
    recordCall({ system: 'redis', name: of, ...attempt })
  }
}
