import { MARK } from './absent.ts'
import { contract, type Model } from './contract.ts'
import { isWallClock, type Layout, type StoredType, UTC } from './layout.ts'

/* What Prisma's client reads as it is meant. Everything else is read by hand. */

/** Whether a column of this type comes as what the contract says it is. */
export function isPrismasColumn(type: StoredType): boolean {
  return !['array', 'number', 'integer'].includes(type)
}

/** Whether all of a table does, in a zone of which Prisma knows nothing, and no row of it may count as absent. */
export function isPrismasTable(model: Model, layout: Layout, zone: string): boolean {
  const columns = layout[model]?.columns ?? {}
  const isMisread = (type: StoredType) =>
    !isPrismasColumn(type) || (zone !== UTC && isWallClock(type))
  return !(
    MARK in columns ||
    contract[model].arrays ||
    Object.values(columns).some(({ type }) => isMisread(type))
  )
}
