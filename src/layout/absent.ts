import type { Table } from './layout.ts'
import { literal, quote } from './quote.ts'

/*
 * Applications keep rows that are no longer meant: people who were deleted softly, members who were deactivated. A rule of
 * the owner's says by which column, and such a row is read nowhere.
 */

/** The column that marks them is among the columns of its table under this name, which no field can have. */
export const MARK = 'absent when'

/** That a row is meant, as SQL about the table without an alias; `null` where every row is. */
export function presence({ columns }: Table): string | null {
  const mark = columns[MARK]
  if (!mark) return null
  const column = quote(mark.name)
  if (!mark.absentWhen) return `${column} is null`
  const values = mark.absentWhen.map(literal).join(', ')
  const type = mark.type === 'number' ? 'float8' : 'text'
  return `(${column}::${type} = any (array[${values}]::${type}[])) is not true`
}
