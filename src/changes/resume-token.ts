import { GatewayError } from '../domain/errors.ts'

/** Until when, by which clock, somebody has been told of changes. */
export interface Position {
  readonly clock: string
  readonly ms: number
}

/** Opaque to clients, and good at every gateway that hears the same clock. */
export function encodePosition({ clock, ms }: Position): string {
  return Buffer.from(`${clock} ${ms}`).toString('base64url')
}

const FORM = /^([\w-]{1,64}) (\d{1,16})$/
const LONGEST = 200

/** @throws GatewayError BAD_USER_INPUT for what is no token. */
export function decodePosition(token: string): Position {
  const text = token.length > LONGEST ? '' : Buffer.from(token, 'base64url').toString()
  const [, clock, ms] = FORM.exec(text) ?? []
  if (clock === undefined || ms === undefined)
    throw new GatewayError('BAD_USER_INPUT', 'The argument after is no resumeToken.')
  return { clock, ms: Number(ms) }
}
