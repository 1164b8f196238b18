import { pino } from 'pino'
import { toStandardOutput } from './standard-output.ts'
import { currentSpan } from './tracing.ts'
import { version } from './version.ts'

export type Logger = pino.Logger

/**
 * JSON lines. What could carry a credential or personal data is not logged in the first place; redaction is the second
 * line of defence.
 */
export function createLogger(
  level: string,
  destination: pino.DestinationStream = toStandardOutput(),
): Logger {
  return pino(
    {
      level,
      base: { service: 'identity-gateway', version },
      timestamp: timestampMember(),
      formatters: { level: (label) => ({ level: label }) },
      mixin: currentSpan,
      redact: { paths: secrets, censor: '[redacted]' },
    },
    destination,
  )
}

/** The time as pino adds it to a line, in RFC 3339: made once a millisecond, because it costs as much as the rest of the line. */
function timestampMember(): () => string {
  let madeAt = Number.NaN
  let member = ''
  return () => {
    const now = Date.now()
    if (now !== madeAt) {
      madeAt = now
      member = `,"time":"${new Date(now).toISOString()}"`
    }
    return member
  }
}

/** The same log for lines whose every field is known not to hold a secret: looking for some costs more than the line. */
export function withoutRedaction(log: Logger): Logger {
  return log.child({}, { redact: [] })
}

const secrets = ['authorization', 'cookie', 'token', 'email', 'variables'].flatMap((name) => [
  name,
  `*.${name}`,
])

/**
 * What may be logged of an error: its kind, its codes and where it arose. Messages of drivers can quote values, so of
 * these only the codes are kept.
 */
export function describeError(error: unknown): object {
  if (!(error instanceof Error)) return { kind: typeof error }
  const { code, meta } = error as { code?: unknown; meta?: { driverAdapterError?: unknown } }
  const inner = error.cause ?? meta?.driverAdapterError
  return {
    name: error.name,
    code,
    at: error.stack
      ?.split('\n')
      .filter((line) => /^\s+at /.test(line))
      .slice(0, 5)
      .map((line) => line.trim()),
    ...(inner === undefined ? {} : { cause: describeCause(inner) }),
  }
}

function describeCause(cause: unknown): object {
  if (cause instanceof Error) return describeError(cause)
  const { kind, originalCode } = (cause ?? {}) as { kind?: unknown; originalCode?: unknown }
  return { kind, sqlState: originalCode }
}
