import type { AdditionalField } from '../domain/additional-field.ts'
import type { Model } from '../layout/contract.ts'
import type { Column, Layout } from '../layout/layout.ts'
import { quote } from '../layout/quote.ts'
import { Prisma } from './client.ts'

type Sql = Prisma.Sql

/** One table in a statement, under an alias. All that it gives is SQL made of identifiers; values are bound elsewhere. */
export interface TableInQuery {
  /** `"public"."members" AS "m"` */
  readonly from: Sql
  /** `"m"."user_id"` */
  column(field: string): Sql
  has(field: string): boolean
  /**
   * Each field that there is as an output column named `<alias>.<field>`; see `Columns`. Dates come as they are in UTC,
   * whatever the zone of the session.
   */
  select(fields: readonly string[]): Sql
  /** The same, and as `additional` an object with the application's own. */
  selectEntity(fields: readonly string[]): Sql
  /** The values as a bound array of the column's type; those that cannot be of that type are left out. */
  array(field: string, values: readonly string[]): Sql
  /** Whether a value can be of the column's type at all: comparing one that cannot would fail the whole statement. */
  fits(field: string, value: string): boolean
  /** `::text` or whatever type a bound value needs to be compared with the column. */
  cast(field: string): Sql
  /** An instant, given as a timestamptz, as the column holds it: columns without a time zone hold UTC. */
  instant(field: string, timestamptz: Sql): Sql
  /** The column with an instant, as a timestamp in UTC. */
  utc(field: string): Sql
}

/** Real names and types of Better Auth's tables, for statements written by hand. The same code serves every layout. */
export class Tables {
  readonly layout: Layout
  readonly #schema: string
  readonly #known = new Map<string, TableInQuery>()

  constructor(layout: Layout, schema: string) {
    this.layout = layout
    this.#schema = schema
  }

  has(model: Model, field?: string): boolean {
    const table = this.layout[model]
    return table !== null && (field === undefined || field in table.columns)
  }

  /** Those of the fields that this database has a column for. */
  present<Field extends string>(model: Model, fields: readonly Field[]): readonly Field[] {
    return fields.filter((field) => this.has(model, field))
  }

  /** Those of the values that can be of the column's type; none when there is no such table. See `TableInQuery.fits`. */
  fitting(model: Model, field: string, values: readonly string[]): readonly string[] {
    if (!this.has(model)) return []
    const table = this.as(model, 't')
    return values.filter((value) => table.fits(field, value))
  }

  as(model: Model, alias: string): TableInQuery {
    const name = `${model} ${alias}`
    const known = this.#known.get(name) ?? this.#name(model, alias)
    this.#known.set(name, known)
    return known
  }

  #name(model: Model, alias: string): TableInQuery {
    const table = this.layout[model]
    if (!table) throw new Error(`This database has no table for ${model}.`)
    const columnOf = (field: string): Column => {
      const column = table.columns[field]
      if (!column) throw new Error(`This database has no column for ${model}.${field}.`)
      return column
    }
    const column = once((field: string) => identifier(alias, columnOf(field).name))
    const utc = once((field: string) => inUtc(columnOf(field), column(field)))
    const select = onceForEach((fields: readonly string[]) =>
      Prisma.join(
        this.present(model, fields).map(
          (field) =>
            Prisma.sql`${output(columnOf(field), column(field))} AS ${identifier(`${alias}.${field}`)}`,
        ),
      ),
    )
    const values = Object.entries(table.columns).flatMap(([field, { additional }]) =>
      additional
        ? [Prisma.sql`${showing(additional, column(field), utc(field))} AS ${identifier(field)}`]
        : [],
    )
    const cast = once((field: string) => Prisma.raw(`::${parameterType(columnOf(field))}`))
    return {
      from: Prisma.sql`${identifier(this.#schema, table.name)} AS ${identifier(alias)}`,
      column,
      cast,
      utc,
      has: (field) => field in table.columns,
      instant: (field, timestamptz) =>
        columnOf(field).type === 'timestamp'
          ? Prisma.sql`(${timestamptz} AT TIME ZONE 'UTC')`
          : timestamptz,
      fits: (field, value) => fits(columnOf(field), value),
      select,
      selectEntity: onceForEach((fields) => {
        const own = select(fields)
        if (values.length === 0) return own
        // With a dot, which no field's name has.
        const additional = identifier(`${alias}.additional`)
        return Prisma.sql`${own}, (SELECT to_json(${additional})
          FROM (SELECT ${Prisma.join(values)}) AS ${additional}) AS ${additional}`
      }),
      array: (field, values) =>
        Prisma.sql`${values.filter((value) => fits(columnOf(field), value))}${cast(field)}[]`,
    }
  }
}

/** Statements are put together for each request, of parts that stay the same. Keys are names in the code. */
function once<Part>(make: (name: string) => Part): (name: string) => Part {
  return remembering(make, new Map())
}

/** The same for parts that are made for a list of names. */
function onceForEach<Part>(
  make: (names: readonly string[]) => Part,
): (names: readonly string[]) => Part {
  return remembering(make, new WeakMap())
}

function remembering<Key, Part>(
  make: (key: Key) => Part,
  made: { get(key: Key): Part | undefined; set(key: Key, part: Part): unknown },
): (key: Key) => Part {
  return (key) => {
    const part = made.get(key) ?? make(key)
    made.set(key, part)
    return part
  }
}

function identifier(...names: readonly string[]): Sql {
  return Prisma.raw(quote(...names))
}

/** Enumerations are compared as text, everything else as what it is, so that indexes serve. */
function parameterType({ type }: Column): string {
  return type === 'enum' ? 'text' : type
}

/** An additional field as a value of JSON; instants as RFC 3339. */
function showing({ type }: AdditionalField, name: Sql, utc: Sql): Sql {
  if (type === 'String') return Prisma.sql`${name}::text`
  if (type === 'DateTime') return Prisma.sql`to_char(${utc}, 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`
  return name
}

/** Ids, enumerations and citext reach the entities as text. */
function output(column: Column, name: Sql): Sql {
  return ['uuid', 'enum', 'citext'].includes(column.type)
    ? Prisma.sql`${name}::text`
    : inUtc(column, name)
}

function inUtc({ type }: Column, name: Sql): Sql {
  return type === 'timestamptz' ? Prisma.sql`(${name} AT TIME ZONE 'UTC')` : name
}

const UUID = /^[0-9a-f]{8}(-?[0-9a-f]{4}){3}-?[0-9a-f]{12}$/i

/** Half of a pair, which no text in the database has: JSON with one is refused. */
const LONE_SURROGATE = /\p{Surrogate}/u

function fits({ type }: Column, value: string): boolean {
  return type === 'uuid' ? UUID.test(value) : !LONE_SURROGATE.test(value)
}
