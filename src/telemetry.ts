import { pino } from 'pino'

export type Logger = pino.Logger

/** JSON lines. What could carry a credential or personal data is not logged; redaction is the second line of defence. */
export function createLogger(
  level: string,
  destination: pino.DestinationStream = pino.destination(1),
): Logger {
  return pino(
    {
      level,
      base: null,
      redact: {
        paths: ['authorization', 'cookie', 'token', 'email', 'variables', '*.authorization', '*.cookie', '*.token', '*.email', '*.variables'],
        censor: '[redacted]',
      },
    },
    destination,
  )
}
