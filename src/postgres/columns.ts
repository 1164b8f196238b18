import { fieldsOf, type Model } from '../layout/contract.ts'
import { Prisma } from './client.ts'
import type { List } from './rows.ts'
import { instantOf } from './statements.ts'
import type { TableInQuery, Tables } from './tables.ts'

export type Row = Readonly<Record<string, unknown>>

/** Where a field of an entity comes from. */
type Source<Value> =
  /** The column of the same name; `null` where the database lacks it, and a stand-in where it should not be NULL. */
  | 'same'
  /** A column, and what is made of it. */
  | { readonly column: string; readonly read: (stored: unknown, row: Row) => Value }
  /** What the statement selects anyway, under this name. */
  | { readonly given: string; readonly read: (given: unknown) => Value }
  /** Of a table that the statement joins. */
  | Beside<Value>

export type Sources<Entity> = { readonly [Field in keyof Entity]: Source<Entity[Field]> }

/** What stands beside a row of a table in a statement: an entity, or one column. */
interface Beside<Value> {
  select(tables: Tables): Prisma.Sql
  again(tables: Tables): Prisma.Sql
  read(row: Row): Value
}

/** One column of another table. */
export function columnOf<Value>(model: Model, alias: string, column: string): Beside<Value> {
  const missing = standIn(model, column)
  return {
    select: (tables) => tables.as(model, alias).select([column]),
    again: (tables) => tables.as(model, alias).again([column]),
    read: (row) => (row[`${alias}.${column}`] ?? missing) as Value,
  }
}

/**
 * What is read where a column is NULL. Better Auth keeps no NULL where the contract has none, but older generators and
 * other applications' tables allow it: texts are empty then, yes or no is no, and an instant is the epoch, at which
 * everything that ends has ended.
 */
export function standIn(model: Model, field: string): unknown {
  return STAND_INS.get(fieldsOf(model)[field]) ?? null
}

const STAND_INS = new Map<string | undefined, unknown>([
  ['String', ''],
  ['Boolean', false],
  ['DateTime', new Date(0)],
])

/** A column that is not shown as it is stored. */
export function from<Stored, Value>(
  column: string,
  read: (stored: Stored | null, row: Row) => Value,
) {
  return { column, read: read as (stored: unknown, row: Row) => Value }
}

/** What a column holds that is of JSON, and arrives parsed, or of text with JSON in it; `null` where that is none. */
export function parseJson(stored: unknown): unknown {
  if (typeof stored !== 'string') return stored
  try {
    return JSON.parse(stored)
  } catch {
    return null
  }
}

/** What another column of the statement says as well, so that it does not come twice with each row. */
export function given<Value>(name: string, read = (value: unknown): Value => value as Value) {
  return { given: name, read }
}

/** The application's own columns, as one object by their names; on the models that may have some. */
export const additional = from(
  'additional',
  (stored: Record<string, unknown> | null) => stored ?? none,
)
const none: Readonly<Record<string, unknown>> = {}

/**
 * The columns of a table that become an entity, declared once: what a statement selects, under an alias, and what is read
 * of each of its rows.
 */
export class Columns<Entity> {
  readonly model: Model
  /** The entity that is in a row. */
  readonly read: (row: Row) => Entity
  readonly #alias: string
  readonly #sources: Sources<Entity>
  readonly #as: 'objects' | 'views'
  readonly #columns: readonly string[]
  readonly #beside: readonly Beside<unknown>[]
  /** Statements are put together for each request, and this is the same in all of them. */
  readonly #selected = new WeakMap<Tables, Readonly<Record<'select' | 'again', Prisma.Sql>>>()
  readonly #inLists = new Map<string, Columns<Entity>>()
  readonly #without = new Map<string, Columns<Entity>>()

  /**
   * @param alias What the table is called in statements. Empty: rows are read by Prisma, whose columns have no prefix.
   * @param as What entities are: objects, or for pages of many rows views, whose fields are read when they are asked for.
   * The fields of a view are not its own, so that it cannot be spread.
   */
  constructor(
    model: Model,
    alias: string,
    sources: Sources<Entity>,
    as: 'objects' | 'views' = 'objects',
  ) {
    this.model = model
    this.#as = as
    this.#alias = alias
    this.#sources = sources
    const entries = Object.entries<Source<unknown>>(sources)
    this.#columns = entries.flatMap(([field, source]) => {
      if (source === 'same') return [field]
      return 'column' in source ? [source.column] : []
    })
    this.#beside = entries.flatMap(([, source]) =>
      source !== 'same' && 'select' in source ? [source] : [],
    )
    const named = (column: string) => (alias === '' ? column : `${alias}.${column}`)
    const fields = entries.map(([field, source]): Field => {
      if (source === 'same') return [field, named(field), null, standIn(model, field)]
      if ('select' in source) return [field, '', (_stored, row) => source.read(row), null]
      if ('given' in source) return [field, source.given, source.read, null]
      return [field, named(source.column), source.read, null]
    })
    this.read = (as === 'views' ? viewOf(fields) : objectOf(fields)) as (row: Row) => Entity
  }

  /** Each column that there is, as an output column that `read` knows; empty when what is given is all. */
  select(tables: Tables): Prisma.Sql {
    return this.#selectedFrom(tables).select
  }

  /** The same output columns, of rows that were selected as `item`. */
  again(tables: Tables): Prisma.Sql {
    return this.#selectedFrom(tables).again
  }

  #selectedFrom(tables: Tables) {
    const known = this.#selected.get(tables)
    if (known) return known
    const listed = (how: 'select' | 'again') => {
      const parts = this.#beside.map((columns) => columns[how](tables))
      if (this.#columns.length > 0) parts.unshift(this.table(tables)[how](this.#columns))
      return parts.length > 0 ? Prisma.join(parts) : Prisma.empty
    }
    const selected = { select: listed('select'), again: listed('again') }
    this.#selected.set(tables, selected)
    return selected
  }

  /** The same without some fields, which are undefined then; those of what stands beside it after a dot. */
  without(fields: readonly string[]): Columns<Entity> {
    const name = fields.join()
    const known = this.#without.get(name)
    if (known) return known
    const sources = Object.entries<Source<unknown>>(this.#sources)
      .filter(([field]) => !fields.includes(field))
      .map(([field, source]) => {
        const beside = fields.filter((other) => other.startsWith(`${field}.`))
        return source instanceof Columns
          ? [field, source.without(beside.map((other) => other.slice(field.length + 1)))]
          : [field, source]
      })
    const fewer = this.#of(Object.fromEntries(sources))
    this.#without.set(name, fewer)
    return fewer
  }

  /** The same for the rows of a list, which say themselves what they are listed by. */
  inList({ parent, key }: Pick<List, 'parent' | 'key'>): Columns<Entity> {
    const name = `${parent} ${key.instant}`
    const known = this.#inLists.get(name)
    if (known) return known
    const said = new Map<string | null | undefined, Source<unknown>>([
      ['id', given('keyId')],
      [key.instant, given('key', (text) => instantOf(String(text)))],
      [parent, given('parent')],
    ])
    const sources = Object.entries<Source<unknown>>(this.#sources).map(([field, source]) => [
      field,
      source === 'same' ? (said.get(field) ?? source) : source,
    ])
    const listed = this.#of(Object.fromEntries(sources))
    this.#inLists.set(name, listed)
    return listed
  }

  #of(sources: Sources<Entity>): Columns<Entity> {
    return new Columns(this.model, this.#alias, sources, this.#as)
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
}

type Field = readonly [
  field: string,
  column: string,
  read: ((stored: unknown, row: Row) => unknown) | null,
  missing: unknown,
]

function valueOfField([, column, read, missing]: Field, row: Row): unknown {
  const stored = row[column] ?? missing
  return read ? read(stored, row) : stored
}

function objectOf(fields: readonly Field[]) {
  return (row: Row): object => {
    const entity: Record<string, unknown> = {}
    for (const field of fields) entity[field[0]] = valueOfField(field, row)
    return entity
  }
}

function viewOf(fields: readonly Field[]) {
  class View {
    readonly #row: Row

    constructor(row: Row) {
      this.#row = row
    }

    static {
      for (const field of fields)
        Object.defineProperty(View.prototype, field[0], {
          enumerable: true,
          get(this: View) {
            return valueOfField(field, this.#row)
          },
        })
    }
  }
  return (row: Row): object => new View(row)
}
