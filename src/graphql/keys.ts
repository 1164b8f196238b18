import { GatewayError } from '../domain/errors.ts'
import { checkKey } from '../domain/id.ts'

/** The most entries of a list that a client gives. */
export const MOST_KEYS = 100

/** @throws GatewayError BAD_USER_INPUT when there are more than 100, or one of them is not valid. */
export function checkKeys(values: readonly string[], what: string): readonly string[] {
  if (values.length > MOST_KEYS)
    throw new GatewayError('BAD_USER_INPUT', `${what} takes at most ${MOST_KEYS} entries.`)
  return values.map((value) => checkKey(value, what))
}
