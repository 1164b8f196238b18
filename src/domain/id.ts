import { GatewayError } from './errors.ts'

const LONGEST = 256

/**
 * Checks a value that a client sent, before it joins a batch: one bad value must not fail the statement of others.
 * @throws GatewayError BAD_USER_INPUT when it is empty, too long or holds a NUL character, which PostgreSQL refuses.
 */
export function checkKey(value: string, what: string): string {
  if (value === '' || value.length > LONGEST || value.includes('\0'))
    throw new GatewayError(
      'BAD_USER_INPUT',
      `${what} must be 1 to ${LONGEST} characters, without NUL.`,
    )
  return value
}
