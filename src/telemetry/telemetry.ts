import { describeError, type Logger } from './log.ts'
import { Metrics } from './metrics.ts'
import { recordFetch, recordRedisCommand, recordStatement, type Statement } from './tracing.ts'

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

  readonly ofDatabase = {
    onStatement: (
      statement: Statement & { readonly durationMs: number; readonly outcome: string },
    ) => {
      const { durationMs, outcome } = statement
      this.metrics?.statement(outcome, durationMs / 1000)
      const failure = outcome === 'answered' ? undefined : outcome
      recordStatement({ durationMs, failure }, statement)
    },
    onWaited: (milliseconds: number) => this.metrics?.wait(milliseconds / 1000),
    onConnectFailure: () => this.metrics?.connectFailure(),
  }

  readonly onRedisAttempt = (
    of: 'reads' | 'writes',
    { durationMs, failed }: { readonly durationMs: number; readonly failed: boolean },
    command: string,
  ) => {
    this.metrics?.redis(of, failed, durationMs / 1000)
    recordRedisCommand({ durationMs, failure: failed ? 'failed' : undefined }, command)
  }

  /** Of a key set. */
  readonly onFetch = recordFetch
}
