import type { AdditionalField } from '../domain/additional-field.ts'
import { presence } from '../layout/absent.ts'
import { contract, fieldsOf, type Model } from '../layout/contract.ts'
import { comparedAs, fits } from '../layout/ids.ts'
import { type Column, type Layout, type StoredType, UTC } from '../layout/layout.ts'
import { isPrismasTable } from '../layout/prismas.ts'
import { literal, quote } from '../layout/quote.ts'
import { Prisma } from './client.ts'
import { arrayOf } from './statements.ts'

type Sql = Prisma.Sql

/** One table in a statement, under an alias. All that it gives is SQL made of identifiers; values are bound elsewhere. */
export interface TableInQuery {
  /** `"public"."members" AS "m"`, without the rows that count as absent. */
  readonly from: Sql
  /** `"m"` */
  readonly alias: Sql
  /** Every column that the gateway may read, as it is stored and under its own name. */
  readonly columns: Sql
  /** `"m"."user_id"`; roles as text with commas between them and flags as booleans, however they are stored. */
  column(field: string): Sql
  /** That an id is the same as another table's, which may be stored as another type. */
  equals(field: string, other: TableInQuery, otherField: string): Sql
  /** Whether there may be a NULL in the column. */
  mayBeNull(field: string): boolean
  has(field: string): boolean
  /** Whether some rows may count as absent. */
  readonly isPartial: boolean
  /** What the catalog calls the table, as `to_regclass` reads it, and the column. */
  real(field: string): {
    readonly relation: string
    readonly name: string
    readonly type: StoredType
  }
  /**
   * Each field that there is as an output column named `<alias>.<field>`; see `Columns`. Dates come as they are in UTC,
   * whatever the zone of the session. `additional` is an object with the application's own, where there are some.
   */
  select(fields: readonly string[]): Sql
  /** The same output columns, of rows that were selected as `item`. */
  again(fields: readonly string[]): Sql
  /** The values, bound as an array of the column's type; those that do not fit are left out. */
  array(field: string, values: readonly string[]): Sql
  /** Whether a value can be of the column's type at all. */
  fits(field: string, value: string): boolean
  /** `::text` or whatever type a bound value needs to be compared with the column. */
  cast(field: string): Sql
  /** Whether what the column shows under a session in UTC is the instant: not if another clock wrote it without a zone. */
  isInUtc(field: string): boolean
  /** An instant, given as a timestamptz, as the column holds it: one without a time zone holds what a clock shows. */
  instant(field: string, timestamptz: Sql): Sql
}

/** Real names and types of Better Auth's tables, for statements written by hand. The same code serves every layout. */
export class Tables {
  readonly #layout: Layout
  readonly #schema: string
  readonly #zone: string
  readonly #known = new Map<string, TableInQuery>()

  /** @param zone Whose clock columns without a time zone were written by. */
  constructor(layout: Layout, schema: string, zone = UTC) {
    this.#layout = layout
    this.#schema = schema
    this.#zone = zone
  }

  has(model: Model, field?: string): boolean {
    const table = this.#layout[model]
    return table !== null && (field === undefined || field in table.columns)
  }

  /** Whether Prisma reads a table as what it holds: not instants of another clock than UTC's, numbers, arrays, absent rows. */
  isPrismas(model: Model): boolean {
    return isPrismasTable(model, this.#layout, this.#zone)
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

  /** @param alias Empty: output columns are called as Prisma calls them, without a prefix. */
  as(model: Model, alias: string): TableInQuery {
    const name = `${model} ${alias}`
    const known = this.#known.get(name) ?? this.#name(model, alias)
    this.#known.set(name, known)
    return known
  }

  #name(model: Model, alias: string): TableInQuery {
    const table = this.#layout[model]
    if (!table) throw new Error(`This database has no table for ${model}.`)
    const called = alias || 'row'
    const relation = identifier(this.#schema, table.name)
    const names = [...new Set(Object.values(table.columns).map(({ name }) => name))]
    const present = presence(table)
    const parts = new Map(
      Object.entries(table.columns).map(([field, column]) => [
        field,
        partsOf(readAs(model, field, identifier(called, column.name), column), column, this.#zone),
      ]),
    )
    const partsOfField = (field: string): Parts => {
      const known = parts.get(field)
      if (!known) throw new Error(`This database has no column for ${model}.${field}.`)
      return known
    }
    const own = [...parts].flatMap(([field, { value }]) =>
      value ? Prisma.sql`${value} AS ${identifier(field)}` : [],
    )
    const named = (field: string) => (alias === '' ? field : `${alias}.${field}`)
    const outputs = (fields: readonly string[]) =>
      fields.filter((field) => (field === ADDITIONAL ? own.length > 0 : parts.has(field)))
    const output = (field: string) => {
      const name = identifier(named(field))
      const value = field === ADDITIONAL ? asObject(own, name) : partsOfField(field).output
      return Prisma.sql`${value} AS ${name}`
    }
    return {
      from: present
        ? Prisma.sql`(SELECT ${Prisma.join(names.map((name) => identifier(name)))}
            FROM ${relation} WHERE ${Prisma.raw(present)}) AS ${identifier(called)}`
        : Prisma.sql`${relation} AS ${identifier(called)}`,
      isPartial: present !== null,
      alias: identifier(called),
      columns: Prisma.join(names.map((name) => identifier(called, name))),
      column: (field) => partsOfField(field).column,
      cast: (field) => partsOfField(field).cast,
      equals: (field, other, otherField) => {
        const { column, type } = partsOfField(field)
        const [theirs, theirType] = [other.column(otherField), other.real(otherField).type]
        return comparedAs(type) === comparedAs(theirType)
          ? Prisma.sql`${column} = ${theirs}`
          : Prisma.sql`${column}::text = ${theirs}::text`
      },
      has: (field) => parts.has(field),
      real: (field) => ({
        relation: quote(this.#schema, table.name),
        name: table.columns[field]?.name ?? field,
        type: partsOfField(field).type,
      }),
      mayBeNull: (field) => !table.columns[field]?.required,
      isInUtc: (field) => this.#zone === UTC || partsOfField(field).type === 'timestamptz',
      instant: (field, time) =>
        partsOfField(field).type === 'timestamp' ? atZone(time, this.#zone) : time,
      fits: (field, value) => fits(partsOfField(field).type, value),
      select: (fields) => Prisma.join(outputs(fields).map(output)),
      again: (fields) => Prisma.join(outputs(fields).map((of) => identifier('item', named(of)))),
      array: (field, values) => {
        const { type, cast } = partsOfField(field)
        const fitting = values.filter((value) => fits(type, value))
        return arrayOf(fitting, cast)
      },
    }
  }
}

/** Stands among the fields of an entity for all additional ones. */
const ADDITIONAL = 'additional'

/** What statements say of a column. Made once, because they are put together for each request. */
interface Parts {
  readonly type: StoredType
  readonly column: Sql
  readonly output: Sql
  readonly cast: Sql
  /** As a value of JSON, when it is the application's own. */
  readonly value: Sql | undefined
}

function partsOf(
  { column, type }: Pick<Parts, 'column' | 'type'>,
  { additional, type: stored }: Column,
  zone: string,
): Parts {
  // A day of the application's own, such as a birthday, is the same day everywhere.
  const utc = inUtc(column, type, additional && stored === 'date' ? UTC : zone)
  // Ids, enumerations and citext reach the entities as text.
  const isText = ['uuid', 'integer', 'enum', 'citext'].includes(type)
  return {
    type,
    column,
    output: isText ? Prisma.sql`${column}::text` : utc,
    // Enumerations are compared as text, everything else as what it is, so that indexes serve.
    cast: Prisma.raw(`::${castOf[type] ?? type}`),
    value: additional && asJson(additional, column, utc),
  }
}

const castOf: Readonly<Partial<Record<StoredType, string>>> = { enum: 'text', integer: 'bigint' }

/** A column that holds what it should in another form, as that, and what it is then. */
function readAs(
  model: Model,
  field: string,
  column: Sql,
  { type, additional }: Column,
): Pick<Parts, 'column' | 'type'> {
  if (type === 'inet') return { column: Prisma.sql`abbrev(${column})`, type: 'text' }
  if (type === 'date') return { column: Prisma.sql`${column}::timestamp`, type: 'timestamp' }
  if (additional) return { column, type }
  if (type === 'number' && fieldsOf(model)[field]?.startsWith('Boolean'))
    return { column: Prisma.sql`(${column} <> 0)`, type: 'boolean' }
  if (!contract[model].lists?.includes(field)) return { column, type }
  if (type === 'array') return { column: Prisma.sql`array_to_string(${column}, ',')`, type: 'text' }
  if (type === 'json' || type === 'jsonb')
    return {
      column: Prisma.sql`CASE jsonb_typeof(${column}::jsonb)
        WHEN 'array' THEN (SELECT string_agg(listed.role, ',') FROM jsonb_array_elements_text(${column}::jsonb) AS listed (role))
        ELSE ${column}::jsonb #>> '{}' END`,
      type: 'text',
    }
  return { column, type }
}

/** What a column holds, as a timestamp in UTC when it is an instant. */
function inUtc(column: Sql, type: StoredType, zone: string): Sql {
  if (type === 'timestamptz') return atZone(column, UTC)
  return type === 'timestamp' && zone !== UTC ? atZone(atZone(column, zone), UTC) : column
}

/** Of a timestamptz, what the clock there shows; of what it shows, the timestamptz. */
function atZone(time: Sql, zone: string): Sql {
  return Prisma.sql`(${time} AT TIME ZONE ${Prisma.raw(literal(zone))})`
}

/** Instants as RFC 3339. */
function asJson({ type }: AdditionalField, column: Sql, utc: Sql): Sql {
  if (type === 'String') return Prisma.sql`${column}::text`
  if (type === 'DateTime') return Prisma.sql`to_char(${utc}, 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`
  return column
}

/** @param name With a dot, which no field's name has, so that it is none of the values'. */
function asObject(values: readonly Sql[], name: Sql): Sql {
  return Prisma.sql`(SELECT to_json(${name}) FROM (SELECT ${Prisma.join(values)}) AS ${name})`
}

function identifier(...names: readonly string[]): Sql {
  return Prisma.raw(quote(...names))
}
