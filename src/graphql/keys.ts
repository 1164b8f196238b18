import { GatewayError } from '../domain/errors.ts'
import { checkKey } from '../domain/id.ts'

const MOST = 100

/** @throws GatewayError BAD_USER_INPUT when there are more than 100, or one of them is not valid. */
export function checkKeys(values: readonly string[], what: string): readonly string[] {
  if (values.length > MOST)
    throw new GatewayError('BAD_USER_INPUT', `${what} takes at most ${MOST} entries.`)
  return values.map((value) => checkKey(value, what))
}
