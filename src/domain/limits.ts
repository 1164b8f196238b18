import { GatewayError } from './errors.ts'
import { checkKey } from './id.ts'

/** The most entries of a list that a client gives. */
export const MOST_KEYS = 100

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
