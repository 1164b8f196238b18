import { GatewayError } from '../domain/errors.ts'

/** What every bad credential is answered with: nobody is told what is wrong with it. The cause is for the log alone. */
export function refused(cause?: unknown): GatewayError {
  return new GatewayError('UNAUTHENTICATED', 'The credential is not valid.', { cause })
}
