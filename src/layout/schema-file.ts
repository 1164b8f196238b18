import { z } from 'zod'
import { additionalTypes, audiences } from '../domain/additional-field.ts'
import { Prisma } from '../postgres/client.ts'
import { type Column, type Layout, type Model, models, storedTypes, type Table } from './layout.ts'

/**
 * Reads the layout from the text of a canonical schema.prisma, as the command `introspect` writes it.
 * @throws Error in one sentence when it is not one, or one of another version of this package.
 */
export function parseLayout(schema: string): Layout {
  const blocks = new Map([...schema.matchAll(MODEL)].map((match) => [match[1], match]))
  const entries = models.map((model): [Model, Table | null] => {
    const block = blocks.get(model)
    if (!block) throw new Error(`It has no model ${model}: ${RUN}`)
    const fields = parseFields(block[2] ?? '')
    const missing = Object.keys(scalarsOf(model)).filter((name) => !fields.has(name))
    if (missing.length > 0) throw new Error(`${model} has no field ${missing.join(', ')}: ${RUN}`)
    return [model, isAbsent(block[0]) ? null : toTable(model, block[2] ?? '', fields)]
  })
  return Object.fromEntries(entries) as unknown as Layout
}

const RUN = 'it must be written by the command introspect of this version.'

/** A block with the comment above it. What a database calls something is quoted, so no name ends a block. */
const MODEL = /^(?:\/\/ [^\n]*\n)?model (\w+) \{\n(.*?)\n\}$/gms
/** A column with the comments above it. */
const FIELD = /^(?: {2}\/\/ (.*)\n)? {2}(\w+) +(String|Boolean|DateTime)(\??)(?: +(.*))?$/gm
const MAPPED = /(?<!@)@map\(("(?:[^"\\]|\\.)*")\)/
/** Further columns of the application, as JSON on one line. */
const ADDITIONAL = /^ {2}\/\/ additional: (.*)$/gm
const TOKEN = /^ {2}\/\/ token: ("(?:[^"\\]|\\.)*")$/m
const TABLE = /^ {2}@@map\(("(?:[^"\\]|\\.)*")\)$/m

type Field = { readonly column: Column | null }

function parseFields(body: string): ReadonlyMap<string, Field> {
  return new Map(
    [...body.matchAll(FIELD)].map(
      ([, comment = '', name = '', type = '', optional, attributes = '']) => [
        name,
        {
          column: isAbsent(comment)
            ? null
            : {
                name: unquote(MAPPED.exec(attributes)) ?? name,
                type: toType(type, attributes, comment),
                ...(optional ? {} : { required: true }),
              },
        },
      ],
    ),
  )
}

function toTable(model: Model, body: string, fields: ReadonlyMap<string, Field>): Table {
  const columns = [...fields].flatMap(([name, { column }]): [string, Column][] =>
    column ? [[name, column]] : [],
  )
  const tokenColumn = unquote(TOKEN.exec(body))
  return {
    name: unquote(TABLE.exec(body)) ?? model,
    columns: Object.fromEntries([...columns, ...additionalColumns(model, body)]),
    ...(tokenColumn === undefined ? {} : { tokenColumn }),
  }
}

function additionalColumns(model: Model, body: string): [string, Column][] {
  return [...body.matchAll(ADDITIONAL)].map(([, json = '']) => {
    const { column, stored, ...field } = parseAdditional(model, json)
    return [field.name, { name: column, type: stored, additional: field }]
  })
}

const additional = z.strictObject({
  name: z.string(),
  column: z.string(),
  stored: z.enum(storedTypes),
  type: z.enum(additionalTypes),
  visibleTo: z.array(z.enum(audiences)),
  description: z.string(),
})

function parseAdditional(model: Model, json: string) {
  try {
    return additional.parse(JSON.parse(json))
  } catch {
    throw new Error(`An additional field of ${model} is not what it should be: ${RUN}`)
  }
}

function isAbsent(comment: string): boolean {
  return /^(\/\/ )?absent:/.test(comment)
}

function toType(type: string, attributes: string, comment: string): Column['type'] {
  const [, stored] = /^stored as (citext|uuid|enum|jsonb|json)$/.exec(comment) ?? []
  if (stored) return stored as Column['type']
  if (type === 'String') return 'text'
  if (type === 'Boolean') return 'boolean'
  return attributes.includes('@db.Timestamptz') ? 'timestamptz' : 'timestamp'
}

function unquote(match: RegExpExecArray | null): string | undefined {
  return match?.[1] === undefined ? undefined : (JSON.parse(match[1]) as string)
}

/** The columns that the generated client knows: the same for every layout. */
function scalarsOf(model: Model): Readonly<Record<string, string>> {
  return Prisma[`${model}ScalarFieldEnum`]
}
