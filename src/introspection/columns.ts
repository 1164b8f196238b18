import { fieldsOf, type Model, type Scalar } from '../layout/contract.ts'
import type { StoredType } from '../layout/layout.ts'
import { type KnownNames, teller } from './known-names.ts'
import { type Column, realName } from './names.ts'
import { findColumns, type Match } from './tables.ts'

/** A field of a canonical model. `column` is missing when the database has no such column or no such table. */
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
    return column ? { name, type, column } : { name, type }
  })
}

/** What keeps the columns of this table from being read, in whole sentences. */
export function checkColumns(match: Match, known: KnownNames): readonly string[] {
  const { model, table } = match
  return Object.entries(fieldsOf(model)).flatMap(([name, type]) => {
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
    const problem = findFault(column, type)
    return problem === null ? [] : `${where} ${problem}`
  })
}

/** As `generateId: "serial"` makes them. */
export function hasIntegerIds(match: Match, known: KnownNames): boolean {
  return findColumns(match, 'id', known).some(({ type }) => type === 'Int' || type === 'BigInt')
}

/** @returns `null` when it is of a type that the gateway does not read. */
export function storedType(column: Column): StoredType | null {
  if (column.isList) return null
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
  Json: 'jsonb',
  'Json Json': 'json',
  Boolean: 'boolean',
  DateTime: 'timestamp',
  'DateTime Timestamp': 'timestamp',
  'DateTime Timestamptz': 'timestamptz',
}

const typesByScalar: Readonly<Record<Scalar, readonly StoredType[]>> = {
  String: ['text', 'citext', 'uuid', 'enum', 'jsonb', 'json'],
  Boolean: ['boolean'],
  DateTime: ['timestamptz', 'timestamp'],
}

function findFault(column: Column, type: string): string | null {
  const nullable = type.endsWith('?')
  const scalar = (nullable ? type.slice(0, -1) : type) as Scalar
  const stored = storedType(column)
  if (stored === null || !typesByScalar[scalar].includes(stored))
    return `is of Prisma type ${typeName(column)}; it must be ${typesByScalar[scalar].join(', ')}.`
  if (!nullable && !column.isRequired)
    return 'allows NULL, which Better Auth never does. Set it NOT NULL.'
  return null
}

/** In Prisma's words, such as `Int SmallInt` or `String[]`. */
export function typeName(column: Column): string {
  const name = [column.type, column.nativeType?.[0]].filter(Boolean).join(' ')
  return `${name}${column.isList ? '[]' : ''}`
}
