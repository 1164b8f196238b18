import { createHash } from 'node:crypto'
import { GatewayError } from '../../domain/errors.ts'
import type { Position } from '../../domain/page.ts'

const VERSION = 1
const INSTANT = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)\.\d{6}Z$/

/**
 * Cursors of one list. They are opaque to clients and bound to the list they came from (parent, order and filter): what
 * another list gave is refused. They are no secret and grant nothing.
 */
export class Cursors {
  readonly #named: readonly unknown[]
  #list: string | undefined
  readonly #key: 'instant' | 'text'

  /** `list` names the field, its parent and every argument that decides what the list holds and in which order. */
  constructor(list: readonly unknown[], key: 'instant' | 'text') {
    this.#named = list
    this.#key = key
  }

  get #binding(): string {
    this.#list ??= createHash('sha256')
      .update(JSON.stringify(this.#named))
      .digest('base64url')
      .slice(0, 12)
    return this.#list
  }

  encode({ value, id }: Position): string {
    return Buffer.from(JSON.stringify([VERSION, this.#binding, value, id])).toString('base64url')
  }

  /** @throws GatewayError BAD_USER_INPUT */
  decode(cursor: string): Position {
    const [, , value, id] = this.#parse(cursor)
    if (!isText(value) || !isText(id) || (this.#key === 'instant' && !isInstant(value)))
      throw new GatewayError('BAD_USER_INPUT', 'The cursor does not belong to this list.')
    return { value, id }
  }

  #parse(cursor: string): readonly unknown[] {
    // Long ones of other lists are not worth reading.
    const beginning = JSON.stringify([VERSION, this.#binding]).slice(0, -1)
    if (!decoded(cursor.slice(0, 2 * beginning.length)).startsWith(beginning)) return []
    try {
      const parts: unknown = JSON.parse(decoded(cursor))
      return Array.isArray(parts) ? parts : []
    } catch {
      return []
    }
  }
}

function decoded(cursor: string): string {
  return Buffer.from(cursor, 'base64url').toString()
}

/** PostgreSQL refuses NUL, and with it the whole statement. */
function isText(value: unknown): value is string {
  return typeof value === 'string' && !value.includes('\0')
}

/** JavaScript takes days that no calendar has, and the year 0000; PostgreSQL refuses both. */
function isInstant(value: string): boolean {
  const seconds = INSTANT.exec(value)?.[1]
  const instant = new Date(value)
  return (
    seconds !== undefined &&
    !seconds.startsWith('0000') &&
    !Number.isNaN(+instant) &&
    instant.toISOString().startsWith(seconds)
  )
}
