import { z } from 'zod'
import {
  type AdditionalField,
  type AdditionalType,
  additionalTypes,
  audiencesOf,
  type ExtensibleModel,
  extensibleModels,
} from '../domain/additional-field.ts'
import { fieldsOf } from '../layout/contract.ts'
import type { StoredType } from '../layout/layout.ts'
import { absentRules } from './absent.ts'
import { storedType, typeName } from './columns.ts'
import { bearing, type KnownNames } from './known-names.ts'
import { type Column, isColumn, isSecret, realName, squash } from './names.ts'
import { readJson } from './read-json.ts'
import { findColumns, type Match } from './tables.ts'

const field = (audiences: readonly [string, ...string[]]) =>
  z.strictObject({
    type: z.enum(additionalTypes),
    column: z.string().min(1).optional(),
    visibleTo: z.array(z.enum(audiences)).min(1),
    description: z.string().min(1).optional(),
  })
const fieldName = z
  .string()
  .regex(/^(?!__)[_a-zA-Z]\w*$/, 'is no name that GraphQL allows for a field')
const shape = z.strictObject({
  User: z.record(fieldName, field(audiencesOf.User)).optional(),
  Organization: z.record(fieldName, field(audiencesOf.Organization)).optional(),
  Member: z.record(fieldName, field(audiencesOf.Member)).optional(),
  absent: absentRules.optional(),
})

/** The application's own fields that are to be shown, by model and name, and which rows count as absent. */
export type AskedFields = z.infer<typeof shape>
type Asked = z.infer<ReturnType<typeof field>>

/**
 * `{"User": {"department": {"type": "String", "column": "dept", "visibleTo": ["self"], "description": "…"}}}`, and
 * `{"absent": {"User": {"column": "deleted_at"}, "Member": {"column": "active", "values": [false]}}}`.
 * @throws Error naming the file and everything that is wrong with it.
 */
export function readFields(path: string): Promise<AskedFields> {
  return readJson(path, shape)
}

/** A field that is shown, and the column it is read from. */
export interface AdditionalColumn {
  readonly field: AdditionalField
  readonly column: Column
  readonly stored: StoredType
}

export interface Additional {
  readonly columns: Readonly<Partial<Record<ExtensibleModel, readonly AdditionalColumn[]>>>
  /** Whole sentences. */
  readonly problems: readonly string[]
}

/** Finds the columns of the fields asked for. A secret is refused, whoever asks for it. */
export function matchAdditional(
  asked: AskedFields,
  matches: readonly Match[],
  known: KnownNames,
): Additional {
  const columns: Partial<Record<ExtensibleModel, AdditionalColumn[]>> = {}
  const problems: string[] = []
  for (const model of extensibleModels)
    for (const [name, described] of Object.entries(asked[model] ?? {})) {
      const match = matches.find((it) => it.model === model)
      const found = match ? find(name, described, match, known) : 'the database has no such table.'
      if (typeof found === 'string') problems.push(`${model}.${name}: ${found}`)
      else columns[model] = [...(columns[model] ?? []), found]
    }
  return { columns, problems }
}

/**
 * Columns that are not read and that may be asked for, by their real names.
 * @param read Names of those that are, beside the contract's.
 */
export function leftOut(match: Match, read: readonly string[], known: KnownNames): string[] {
  const taken = [...contracted(match, known), ...hidden(match, known)]
  return match.table.fields
    .filter((column) => isColumn(column) && !taken.includes(column))
    .map(realName)
    .filter((name) => !read.includes(name) && !isSecret(name))
}

function find(
  name: string,
  { type, column: told, visibleTo, description }: Asked,
  match: Match,
  known: KnownNames,
): AdditionalColumn | string {
  if (Object.hasOwn(fieldsOf(match.model), name)) return 'the graph has a field of that name.'
  const [column, ...others] =
    told === undefined
      ? findColumns(match, name, known)
      : bearing(match.table.fields.filter(isColumn), { name: told, source: 'overrides' })
  const table = `the table "${realName(match.table)}"`
  if (!column) return `${table} has no column for it that this role may SELECT.`
  const where = `the column "${realName(column)}" of ${table}`
  if (others.length > 0) return `${where} has a double. Name one as its column.`
  if (isSecret(name) || isSecret(realName(column))) return `${where} is a secret, and never shown.`
  if (hidden(match, known).includes(column))
    return `${where} is never returned by Better Auth, and so never shown.`
  if (contracted(match, known).includes(column)) return `${where} is shown by another field.`
  const stored = storedType(column)
  if (stored === null || !storedFor[type].includes(stored))
    return `${where} is of Prisma type ${typeName(column)}, which cannot be shown as ${type}.`
  return {
    field: {
      name,
      type,
      visibleTo: visibleTo as AdditionalField['visibleTo'],
      description: description ?? "A field of the application's own.",
    },
    column,
    stored,
  }
}

function contracted(match: Match, known: KnownNames): readonly Column[] {
  return Object.keys(fieldsOf(match.model)).flatMap((field) => findColumns(match, field, known))
}

function hidden(match: Match, known: KnownNames): readonly Column[] {
  const fields = known[match.model]?.hidden ?? []
  return fields.flatMap((field) => [
    ...findColumns(match, field, known),
    ...match.table.fields.filter((column) => squash(realName(column)) === squash(field)),
  ])
}

const lists = ['array', 'jsonb', 'json', 'text'] as const
const storedFor: Readonly<Record<AdditionalType, readonly StoredType[]>> = {
  String: ['text', 'citext', 'uuid', 'inet', 'enum', 'number'],
  Int: ['number'],
  Float: ['number'],
  Boolean: ['boolean'],
  DateTime: ['timestamptz', 'timestamp', 'date'],
  JSON: ['jsonb', 'json', 'text'],
  '[String]': lists,
  '[Int]': lists,
  '[Float]': lists,
}
