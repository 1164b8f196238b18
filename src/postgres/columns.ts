import type { Model } from '../layout/contract.ts'
import { Prisma } from './client.ts'
import type { TableInQuery, Tables } from './tables.ts'

export type Row = Readonly<Record<string, unknown>>

/** Where a field of an entity comes from. */
type Source<Value> =
  /** The column of the same name; `null` where the database lacks it. */
  | 'same'
  /** A column, and what is made of it. */
  | { readonly column: string; readonly read: (stored: unknown) => Value }
  /** Of a table that the statement joins. */
  | Beside<Value>

export type Sources<Entity> = { readonly [Field in keyof Entity]: Source<Entity[Field]> }

/** What stands beside a row of a table in a statement: an entity, or one column. */
interface Beside<Value> {
  select(tables: Tables): Prisma.Sql
  read(row: Row): Value
}

/** One column of another table. */
export function columnOf<Value>(model: Model, alias: string, column: string): Beside<Value> {
  return {
    select: (tables) => tables.as(model, alias).select([column]),
    read: (row) => (row[`${alias}.${column}`] ?? null) as Value,
  }
}

/** A column that is not shown as it is stored. */
export function from<Stored, Value>(column: string, read: (stored: Stored | null) => Value) {
  return { column, read: read as (stored: unknown) => Value }
}

/** The application's own columns, as one object by their names; on the models that may have some. */
export const additional = from(
  'additional',
  (stored: Record<string, unknown> | null) => stored ?? none,
)
const none: Readonly<Record<string, unknown>> = {}

/**
 * The columns of a table that become an entity, declared once: what a statement selects, under an alias, and what is read
 * of each of its rows. Made once for many rows, each of which becomes one object of one shape.
 */
export class Columns<Entity> {
  readonly model: Model
  readonly #alias: string
  readonly #columns: readonly string[]
  readonly #beside: readonly Beside<unknown>[]
  readonly #fields: readonly [
    field: string,
    column: string,
    read: ((stored: unknown, row: Row) => unknown) | null,
  ][]
  /** Statements are put together for each request, and this is the same in all of them. */
  readonly #selected = new WeakMap<Tables, Prisma.Sql>()

  /** @param alias What the table is called in statements. Empty: rows are read by Prisma, whose columns have no prefix. */
  constructor(model: Model, alias: string, sources: Sources<Entity>) {
    this.model = model
    this.#alias = alias
    const entries = Object.entries<Source<unknown>>(sources)
    this.#columns = entries.flatMap(([field, source]) => {
      if (source === 'same') return [field]
      return 'select' in source ? [] : [source.column]
    })
    this.#beside = entries.flatMap(([, source]) =>
      source !== 'same' && 'select' in source ? [source] : [],
    )
    const named = (column: string) => (alias === '' ? column : `${alias}.${column}`)
    this.#fields = entries.map(([field, source]) => {
      if (source === 'same') return [field, named(field), null]
      if ('select' in source) return [field, '', (_stored, row) => source.read(row)]
      return [field, named(source.column), source.read]
    })
  }

  /** Each column that there is, as an output column that `read` knows. */
  select(tables: Tables): Prisma.Sql {
    const known = this.#selected.get(tables)
    if (known) return known
    const own = this.table(tables).select(this.#columns)
    const selected = Prisma.join([own, ...this.#beside.map((columns) => columns.select(tables))])
    this.#selected.set(tables, selected)
    return selected
  }

  /** The table as `select` speaks of it. */
  table(tables: Tables): TableInQuery {
    return tables.as(this.model, this.#alias)
  }

  /** Those of the columns that there are, as Prisma selects them. */
  present(tables: Tables): Readonly<Record<string, true>> {
    const columns = tables.present(this.model, this.#columns)
    return Object.fromEntries(columns.map((column) => [column, true]))
  }

  readonly read = (row: Row): Entity => {
    const entity: Record<string, unknown> = {}
    for (const [field, column, read] of this.#fields) {
      const stored = row[column] ?? null
      entity[field] = read ? read(stored, row) : stored
    }
    return entity as Entity
  }
}
