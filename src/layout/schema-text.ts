import internals from '@prisma/internals'
import type { AdditionalColumn } from '../introspection/additional.ts'
import { type Field, storedType } from '../introspection/columns.ts'
import { realName, type Table } from '../introspection/names.ts'
import { contract } from './contract.ts'
import { type Model, models } from './layout.ts'

export interface ModelDescription {
  readonly model: Model
  /** Missing when the database has none. */
  readonly table: Table | undefined
  readonly fields: readonly Field[]
  /** Of the application's own. */
  readonly additional: readonly AdditionalColumn[]
  /** Of the session's token. */
  readonly tokenColumn: string | undefined
}

/**
 * The canonical schema.prisma. Models and columns that are absent stay in it, marked, so that the client's types are the
 * same for every database; for the same reason comments, not attributes, say what a String is stored as, which further
 * columns are shown, and what the token is called where it is not `token`.
 * repositories/schema-file.ts reads these marks. They are no documentation (`///`), which would enter the types.
 */
export async function renderSchema(descriptions: readonly ModelDescription[]): Promise<string> {
  const text = [header, ...descriptions.map(renderModel)].join('\n\n')
  const [file] = await internals.formatSchema({ schemas: [['schema.prisma', text]] })
  if (!file) throw new Error('Prisma formatted no schema.')
  return file[1]
}

const header = `// Better Auth's tables under canonical names, as introspection found them in a database. Not edited by hand.
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

function renderModel(description: ModelDescription): string {
  const { model, table, fields, additional, tokenColumn = 'token' } = description
  const lines = [
    ...fields.flatMap((field) => renderField(model, field, table)),
    ...renderRelations(model),
    ...additional.map(renderAdditional),
    ...(tokenColumn === 'token' ? [] : [`// token: ${inComment(tokenColumn)}`]),
  ]
  const map = table && realName(table) !== model ? [`@@map(${quote(realName(table))})`] : []
  const mark = table ? [] : ['// absent: the database has no such table']
  return [...mark, `model ${model} {`, ...lines, ...map, '}'].join('\n')
}

function renderField(
  model: Model,
  { name, type, column }: Field,
  table: Table | undefined,
): readonly string[] {
  const attributes = [
    name === 'id' ? '@id' : '',
    contract[model].unique?.includes(name) ? '@unique' : '',
  ]
  if (!column) {
    const mark = table ? ['// absent: the database has no such column'] : []
    return [...mark, [name, type, ...attributes].join(' ')]
  }
  if (realName(column) !== name) attributes.push(`@map(${quote(realName(column))})`)
  if (column.type === 'DateTime' && column.nativeType) {
    const [native, args] = column.nativeType
    attributes.push(`@db.${native}(${args.join(', ')})`)
  }
  const stored = storedType(column)
  const isDefault = stored === 'text' || !type.startsWith('String')
  const mark = isDefault ? [] : [`// stored as ${stored}`]
  return [...mark, [name, type, ...attributes].join(' ')]
}

function renderAdditional({ field, column, stored }: AdditionalColumn): string {
  return `// additional: ${inComment({ ...field, column: realName(column), stored })}`
}

function renderRelations(model: Model): readonly string[] {
  const forward = Object.entries(contract[model].relations ?? {}).map(
    ([name, { column, to }]) => `${name} ${to} @relation(fields: [${column}], references: [id])`,
  )
  const backward = models.flatMap((from) =>
    Object.values(contract[from].relations ?? {})
      .filter(({ to }) => to === model)
      .map(({ back }) => `${back} ${from}[]`),
  )
  return [...forward, ...backward]
}

function quote(name: string): string {
  return JSON.stringify(name)
}

/** In ASCII, of which nothing ends a line. */
function inComment(value: unknown): string {
  return JSON.stringify(value).replaceAll(
    /[\u007f-\uffff]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}
