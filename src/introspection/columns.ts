import { contract, fieldsOf, isAssured, isId, type Model } from '../layout/contract.ts'
import type { StoredType } from '../layout/layout.ts'
import type { Scalar } from '../layout/model-contract.ts'
import { type KnownNames, teller } from './known-names.ts'
import { type Column, realName } from './names.ts'
import { findColumns, type Match } from './tables.ts'

/** A field of a canonical model. `column` is missing when the database has no such column that can be read, or no table. */
export interface Field {
  readonly name: string
  /** In Prisma's notation, such as `String?`. */
  readonly type: string
  readonly column?: Column
}

/** The fields of every model, whether its table exists or not, in the contract's order. */
export function matchFields(
  model: Model,
  match: Match | undefined,
  known: KnownNames,
): readonly Field[] {
  return Object.entries(fieldsOf(model)).map(([name, type]) => {
    const [column] = match ? findColumns(match, name, known) : []
    return column && !isLeftOut(model, name, column) ? { name, type, column } : { name, type }
  })
}

/** What keeps the columns of this table from being read, in whole sentences. */
export function checkColumns(match: Match, known: KnownNames): readonly string[] {
  const { model, table } = match
  return Object.keys(fieldsOf(model)).flatMap((name) => {
    const [column, ...others] = findColumns(match, name, known)
    if (!column) {
      const told = known[model]?.columns[name]
      return told?.name
        ? `${model}.${name}: ${teller(told.source)} "${told.name}", but the table "${realName(table)}" has no such column that this role may SELECT.`
        : []
    }
    const where = `${model}.${name}: the column "${realName(table)}"."${realName(column)}"`
    if (others.length > 0)
      return `${where} has a double, "${others.map(realName).join('", "')}". Drop the one that Better Auth does not use, or name the other in --overrides.`
    const other = Object.keys(fieldsOf(model)).find((field) => field === realName(column))
    if (other !== undefined && other !== name)
      return `${where} bears the name of another field, ${other}, which Prisma does not allow. Rename the column.`
    if (isReadable(model, name, column) || isLeftOut(model, name, column)) return []
    return `${where} ${notReadable(model, name, column)}`
  })
}

/** The columns that are left out because they are of a type that is not read as what they hold, in whole sentences. */
export function describeUnread({ model, table }: Match, known: KnownNames): readonly string[] {
  return Object.keys(fieldsOf(model)).flatMap((name) => {
    const [column] = findColumns({ model, table }, name, known)
    if (!column || !isLeftOut(model, name, column)) return []
    return `${model}.${name}: the column "${realName(table)}"."${realName(column)}" ${notReadable(model, name, column)} The graph leaves it out.`
  })
}

/** A column that cannot be read and may be lacking to Better Auth, unless more would be allowed without it. */
function isLeftOut(model: Model, field: string, column: Column): boolean {
  const isEssential = contract[model].essential?.includes(field) ?? false
  return !isReadable(model, field, column) && !isAssured(model, field) && !isEssential
}

/** What a column of the contract is stored as; `null` when it is of a type that the gateway does not read. */
export function storedField(field: string, column: Column): StoredType | null {
  const stored = storedType(column)
  // Better Auth makes such ids with `generateId: "serial"`.
  return isId(field) && /^(Int|BigInt)$/.test(column.type) && stored === 'number'
    ? 'integer'
    : stored
}

/** @returns `null` when it is of a type that the gateway does not read. */
export function storedType(column: Column): StoredType | null {
  if (column.isList) return 'array'
  if (column.kind === 'enum') return 'enum'
  return typesByNative[`${column.type} ${column.nativeType?.[0] ?? ''}`.trim()] ?? null
}

/** By Prisma type and, unless it is that type's default, native type. */
const typesByNative: Readonly<Record<string, StoredType>> = {
  String: 'text',
  'String VarChar': 'text',
  'String Char': 'text',
  'String Citext': 'citext',
  'String Uuid': 'uuid',
  'String Inet': 'inet',
  Json: 'jsonb',
  'Json Json': 'json',
  Boolean: 'boolean',
  DateTime: 'timestamp',
  'DateTime Timestamp': 'timestamp',
  'DateTime Timestamptz': 'timestamptz',
  'DateTime Date': 'date',
  Int: 'number',
  'Int SmallInt': 'number',
  BigInt: 'number',
  Float: 'number',
  'Float Real': 'number',
  Decimal: 'number',
  'Decimal Decimal': 'number',
}

const typesByScalar: Readonly<Record<Scalar, readonly StoredType[]>> = {
  String: ['text', 'citext', 'uuid', 'enum', 'inet', 'jsonb', 'json'],
  Boolean: ['boolean', 'number'],
  Int: ['number'],
  DateTime: ['timestamptz', 'timestamp', 'date'],
}

function readableTypes(model: Model, field: string): readonly StoredType[] {
  const types = typesByScalar[fieldsOf(model)[field]?.replace('?', '') as Scalar]
  return [
    ...types,
    ...(isId(field) ? (['integer'] as const) : []),
    ...(isArray(model, field) ? (['array'] as const) : []),
  ]
}

function isArray(model: Model, field: string): boolean {
  const { lists = [], arrays = [] } = contract[model]
  return lists.includes(field) || arrays.includes(field)
}

function isReadable(model: Model, field: string, column: Column): boolean {
  const stored = storedField(field, column)
  return stored !== null && readableTypes(model, field).includes(stored)
}

function notReadable(model: Model, field: string, column: Column): string {
  return `is of Prisma type ${typeName(column)}; it must be ${readableTypes(model, field).join(', ')}.`
}

/** In Prisma's words, such as `Int SmallInt` or `String[]`. */
export function typeName(column: Column): string {
  const name = [column.type, column.nativeType?.[0]].filter(Boolean).join(' ')
  return `${name}${column.isList ? '[]' : ''}`
}
