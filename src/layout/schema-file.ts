import { z } from 'zod'
import { additionalTypes, audiences } from '../domain/additional-field.ts'
import { MARK } from './absent.ts'
import { contract, fieldsOf, isAssured, type Model, models } from './contract.ts'
import { type Column, type Layout, storedTypes, type Table } from './layout.ts'

/*
 * The canonical schema.prisma: a layout as text, for Prisma and for people. Models and columns that a database lacks stay
 * in it, marked, so that the types of Prisma's client are the same for every database; for the same reason comments, not
 * attributes, say what a String is stored as, which further columns are shown, and what the token is called where it is
 * not `token`. They are no documentation (`///`), which would enter the types. What is printed here is read here:
 *
 *   // absent: …                 above a model or a field
 *   // stored as uuid            above a field that is no text
 *   // additional: {…}           a column of the application's own
 *   // absent when: {…}         the column that marks rows as absent
 *   // token: "…"                the column with session tokens
 *   // authoritative: false      whether Better Auth asks this table who is signed in, where that is known
 */

const ABSENT = 'absent: the database has no such'
const STORED = 'stored as'
const ADDITIONAL = 'additional:'
const TOKEN = 'token:'
const AUTHORITATIVE = 'authoritative:'

const HEADER = `// Better Auth's tables under canonical names, as introspection found them in a database. Not edited by hand.
// What is not listed here cannot be selected.

generator client {
  provider = "prisma-client"
  output = "../src/postgres/generated"
  runtime = "nodejs"
  moduleFormat = "esm"
  generatedFileExtension = "ts"
  importFileExtension = "ts"
  compilerBuild = "small"
}

datasource db {
  provider = "postgresql"
}`

/** The text of a layout, which Prisma's formatter lays out further. */
export function printLayout(layout: Layout): string {
  return `${[HEADER, ...models.map((model) => printModel(model, layout[model]))].join('\n\n')}\n`
}

function printModel(model: Model, table: Table | null): string {
  const further = Object.values(table?.columns ?? {}).filter(({ additional }) => additional)
  const { tokenColumn, authoritative } = table ?? {}
  const mark = table?.columns[MARK]
  const lines = [
    ...Object.entries(fieldsOf(model)).flatMap(([field, type]) =>
      printField(model, field, type, table),
    ),
    ...printRelations(model, table),
    ...further.map(
      ({ name, type, additional }) =>
        `// ${ADDITIONAL} ${inComment({ ...additional, column: name, stored: type })}`,
    ),
    ...(mark ? [`// ${MARK}: ${inComment({ ...mark, absentWhen: mark.absentWhen ?? null })}`] : []),
    ...(tokenColumn === undefined ? [] : [`// ${TOKEN} ${inComment(tokenColumn)}`]),
    ...(authoritative === undefined ? [] : [`// ${AUTHORITATIVE} ${authoritative}`]),
    ...(table && table.name !== model ? [`@@map(${quoted(table.name)})`] : []),
  ]
  const above = table ? '' : `// ${ABSENT} table\n`
  return `${above}model ${model} {\n${lines.map((line) => `  ${line}\n`).join('')}}`
}

function printField(model: Model, field: string, type: string, table: Table | null): string[] {
  const attributes = [
    field === 'id' ? '@id' : '',
    contract[model].unique?.includes(field) ? '@unique' : '',
  ].filter(Boolean)
  const column = table?.columns[field]
  const printed = (...more: string[]) =>
    [field, mayBeNull(model, field, table) ? `${type}?` : type, ...attributes, ...more].join(' ')
  if (!column) return [...(table ? [`// ${ABSENT} column`] : []), printed()]
  const native = nativeTypes[column.type]
  const isMarked = native === undefined && column.type !== 'text' && column.type !== 'boolean'
  return [
    ...(isMarked ? [`// ${STORED} ${column.type}`] : []),
    printed(
      ...(column.name === field ? [] : [`@map(${quoted(column.name)})`]),
      ...(native === undefined ? [] : [native]),
    ),
  ]
}

/** That Better Auth relies on a column in which the database allows NULL; no view says of a column that it does not. */
function mayBeNull(model: Model, field: string, table: Table | null): boolean {
  const column = table?.columns[field]
  return column !== undefined && !column.required && isAssured(model, field) && field !== 'id'
}

const nativeTypes: Readonly<Partial<Record<Column['type'], string>>> = {
  timestamptz: '@db.Timestamptz(6)',
  timestamp: '@db.Timestamp(6)',
  date: '@db.Date',
  inet: '@db.Inet',
}

function printRelations(model: Model, table: Table | null): readonly string[] {
  const forward = Object.entries(contract[model].relations ?? {}).map(
    ([name, { column, to }]) =>
      `${name} ${to}${mayBeNull(model, column, table) ? '?' : ''} @relation(fields: [${column}], references: [id])`,
  )
  const backward = models.flatMap((from) =>
    Object.values(contract[from].relations ?? {})
      .filter(({ to }) => to === model)
      .map(({ back }) => `${back} ${from}[]`),
  )
  return [...forward, ...backward]
}

/** As Prisma writes text, on one line: to regular expressions, two characters that JSON leaves as they are end one. */
function quoted(name: string): string {
  return JSON.stringify(name).replaceAll('\u2028', '\\u2028').replaceAll('\u2029', '\\u2029')
}

/** In ASCII, of which nothing ends a line. */
function inComment(value: unknown): string {
  return JSON.stringify(value).replaceAll(
    /[\u007f-\uffff]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}

/**
 * Reads such a text. Models and optional columns that it lacks, because an earlier version wrote it, are absent.
 * @throws Error in one sentence when it is no such text, or lacks what every database has.
 */
export function parseLayout(schema: string): Layout {
  const blocks = new Map([...schema.matchAll(MODEL)].map((match) => [match[1], match]))
  const entries = models.map((model): [Model, Table | null] => {
    const [text = '', , body = ''] = blocks.get(model) ?? []
    if (text === '' && contract[model].required) throw new Error(`It has no model ${model}: ${RUN}`)
    return [model, text === '' || isAbsent(text) ? null : parseModel(model, body)]
  })
  return Object.fromEntries(entries) as unknown as Layout
}

const RUN = 'it must be written by the command introspect of this version.'

/** A block with the comment above it. What a database calls something is quoted, so no name ends a block. */
const MODEL = /^(?:\/\/ [^\n]*\n)?model (\w+) \{\n(.*?)\n\}$/gms
/** A field with the comment above it. */
const FIELD = /^(?: {2}\/\/ (.*)\n)? {2}(\w+) +(String|Boolean|DateTime|Int)(\??)(?: +(.*))?$/gm
const MAPPED = /(?<!@)@map\(("(?:[^"\\]|\\.)*")\)/
const FURTHER = new RegExp(`^ {2}// ${ADDITIONAL} (.*)$`, 'gm')
const MARKED = new RegExp(`^ {2}// ${MARK}: (.*)$`, 'm')
const TOKEN_COLUMN = new RegExp(`^ {2}// ${TOKEN} ("(?:[^"\\\\]|\\\\.)*")$`, 'm')
const IS_AUTHORITATIVE = new RegExp(`^ {2}// ${AUTHORITATIVE} (true|false)$`, 'm')
const TABLE = /^ {2}@@map\(("(?:[^"\\]|\\.)*")\)$/m

function parseModel(model: Model, body: string): Table {
  // What the contract does not list is no column of ours, whoever wrote it into the file: a password, for one.
  const listed = [...body.matchAll(FIELD)].filter(([, , name = '']) =>
    Object.hasOwn(fieldsOf(model), name),
  )
  const fields = new Map(listed.map((match) => [match[2] ?? '', match]))
  const missing = Object.keys(contract[model].columns).filter((name) => !fields.has(name))
  if (missing.length > 0) throw new Error(`${model} has no field ${missing.join(', ')}: ${RUN}`)
  const columns = [...fields].flatMap(
    ([name, [, comment = '', , type = '', optional, rest = '']]) =>
      isAbsent(comment)
        ? []
        : [
            [
              name,
              {
                name: unquote(MAPPED.exec(rest)) ?? name,
                type: toType(type, rest, comment),
                ...(optional ? {} : { required: true }),
              },
            ] as [string, Column],
          ],
  )
  const tokenColumn = unquote(TOKEN_COLUMN.exec(body))
  const authoritative = IS_AUTHORITATIVE.exec(body)?.[1]
  return {
    name: unquote(TABLE.exec(body)) ?? model,
    columns: Object.fromEntries([
      ...columns,
      ...parseAdditional(model, body),
      ...parseMark(model, body),
    ]),
    ...(tokenColumn === undefined ? {} : { tokenColumn }),
    ...(authoritative === undefined ? {} : { authoritative: authoritative === 'true' }),
  }
}

const additionalColumn = z.strictObject({
  name: z.string(),
  column: z.string(),
  stored: z.enum(storedTypes),
  type: z.enum(additionalTypes),
  visibleTo: z.array(z.enum(audiences)),
  description: z.string(),
})

function parseAdditional(model: Model, body: string): [string, Column][] {
  try {
    return [...body.matchAll(FURTHER)].map(([, json = '']) => {
      const { column, stored, ...field } = additionalColumn.parse(JSON.parse(json))
      return [field.name, { name: column, type: stored, additional: field }]
    })
  } catch {
    throw new Error(`An additional field of ${model} is not what it should be: ${RUN}`)
  }
}

const markColumn = z.strictObject({
  name: z.string(),
  type: z.enum(storedTypes),
  absentWhen: z.array(z.string()).nullable(),
})

function parseMark(model: Model, body: string): [string, Column][] {
  const [, json] = MARKED.exec(body) ?? []
  if (json === undefined) return []
  try {
    return [[MARK, markColumn.parse(JSON.parse(json))]]
  } catch {
    throw new Error(`Which rows of ${model} count as absent is not what it should be: ${RUN}`)
  }
}

function isAbsent(text: string): boolean {
  return /^(\/\/ )?absent:/.test(text)
}

function toType(type: string, attributes: string, comment: string): Column['type'] {
  const stored = comment.startsWith(`${STORED} `) ? comment.slice(STORED.length + 1) : ''
  const known = storedTypes.find((name) => name === stored)
  if (known) return known
  if (type === 'String') return attributes.includes('@db.Inet') ? 'inet' : 'text'
  if (type === 'Boolean') return 'boolean'
  if (type === 'Int') return 'number'
  if (attributes.includes('@db.Date')) return 'date'
  return attributes.includes('@db.Timestamptz') ? 'timestamptz' : 'timestamp'
}

function unquote(match: RegExpExecArray | null): string | undefined {
  return match?.[1] === undefined ? undefined : (JSON.parse(match[1]) as string)
}
