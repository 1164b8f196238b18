import { GatewayError } from './errors.ts'

/** The most entries of a list that a client gives. */
export const MOST_KEYS = 100

/** The most characters of an id, or of another text that rows are looked up by. */
export const LONGEST_KEY = 256

/** Entries of a page: when a client gives no size, and at most. */
export const DEFAULT_SIZE = 20
export const LARGEST_SIZE = 100

/** Rows that are looked at for a page or a length of one list, unless the operator says another number. */
export const MOST_ROWS = 5000

/** The most questions about permissions at once, and the name of their type in the graph. */
export const MOST_CHECKS = 300
export const CHECK = 'PermissionCheckInput'

/** What routers of Apollo Federation refer to entities with: the name of its scalar in the graph. */
export const REPRESENTATION = '_Any'

/**
 * Checks a value that a client sent, before it joins a batch: one bad value must not fail the statement of others.
 * @throws GatewayError BAD_USER_INPUT when it is empty, too long or holds a NUL character, which PostgreSQL refuses.
 */
export function checkKey(value: string, what: string): string {
  if (value === '' || value.length > LONGEST_KEY || value.includes('\0'))
    throw new GatewayError(
      'BAD_USER_INPUT',
      `${what} must be 1 to ${LONGEST_KEY} characters, without NUL.`,
    )
  return value
}

/** @throws GatewayError BAD_USER_INPUT when there are more than 100, or one of them is not valid. */
export function checkKeys(values: readonly string[], what: string): readonly string[] {
  checkLength(values, what, MOST_KEYS)
  return values.map((value) => checkKey(value, what))
}

/** @throws GatewayError BAD_USER_INPUT */
export function checkLength(values: readonly unknown[], what: string, most: number): void {
  if (values.length > most) throw tooLong(what, most)
}

export function tooLong(what: string, most: number): GatewayError {
  return new GatewayError('BAD_USER_INPUT', `${what} takes at most ${most} entries.`)
}
