import type { StoredType } from './layout.ts'

/** Types of ids that PostgreSQL compares with each other have the same one. */
export function comparedAs(type: StoredType): StoredType {
  return type === 'uuid' || type === 'integer' ? type : 'text'
}

/** Whether a text can be a value of a column's type at all: comparing one that cannot would fail the whole statement. */
export function fits(type: StoredType, value: string): boolean {
  if (type === 'uuid') return UUID.test(value)
  if (type !== 'integer') return !LONE_SURROGATE.test(value)
  return INTEGER.test(value) && BigInt.asIntN(64, BigInt(value)) === BigInt(value)
}

const UUID = /^[0-9a-f]{8}(-?[0-9a-f]{4}){3}-?[0-9a-f]{12}$/i
/** As PostgreSQL writes it, so that each id has one text. */
const INTEGER = /^(0|-?[1-9][0-9]{0,18})$/
/** Half of a pair, which no text in the database has: JSON with one is refused. */
const LONE_SURROGATE = /\p{Surrogate}/u
