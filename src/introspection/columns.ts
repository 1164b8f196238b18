import type { Model, Column as Stored } from '../repositories/layout.ts'
import { contract, type Scalar } from './contract.ts'
import { type Column, findColumns, type Match, realName, type Table } from './tables.ts'

type StoredType = Stored['type']

/** A field of a canonical model. `column` is missing when the database has no such column or no such table. */
export interface Field {
  readonly name: string
  /** In Prisma's notation, such as `String?`. */
  readonly type: string
  readonly column?: Column
}

/** The fields of every model, whether its table exists or not, in the contract's order. */
export function matchFields(model: Model, table: Table | undefined): readonly Field[] {
  const { columns, optional } = contract[model]
  return Object.entries({ ...columns, ...optional }).map(([name, type]) => {
    const [column] = table ? findColumns(table, name) : []
    return column ? { name, type, column } : { name, type }
  })
}

/** What keeps the columns of this table from being read, in whole sentences. */
export function checkColumns(match: Match): readonly string[] {
  const { columns, optional } = contract[match.model]
  return Object.entries({ ...columns, ...optional }).flatMap(([name, type]) => {
    const [column, ...others] = findColumns(match.table, name)
    if (!column) return []
    const where = `${match.model}.${name}: the column "${realName(match.table)}"."${realName(column)}"`
    if (others.length > 0)
      return `${where} has a double, "${others.map(realName).join('", "')}". Drop the one that Better Auth does not use, or introspect as a role that may SELECT only the other.`
    const problem = findFault(column, type)
    return problem === null ? [] : `${where} ${problem}`
  })
}

/** As `generateId: "serial"` makes them. */
export function hasIntegerIds({ table }: Match): boolean {
  return findColumns(table, 'id').some(({ type }) => type === 'Int' || type === 'BigInt')
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
  'String Citext': 'text',
  'String Uuid': 'uuid',
  Json: 'jsonb',
  'Json Json': 'json',
  Boolean: 'boolean',
  DateTime: 'timestamp',
  'DateTime Timestamp': 'timestamp',
  'DateTime Timestamptz': 'timestamptz',
}

const typesByScalar: Readonly<Record<Scalar, readonly StoredType[]>> = {
  String: ['text', 'uuid', 'enum', 'jsonb', 'json'],
  Boolean: ['boolean'],
  DateTime: ['timestamptz', 'timestamp'],
}

function findFault(column: Column, type: string): string | null {
  const nullable = type.endsWith('?')
  const scalar = (nullable ? type.slice(0, -1) : type) as Scalar
  const stored = storedType(column)
  if (stored === null || !typesByScalar[scalar].includes(stored)) {
    const actual = [column.type, column.nativeType?.[0]].filter(Boolean).join(' ')
    return `is of Prisma type ${actual}${column.isList ? '[]' : ''}; it must be ${typesByScalar[scalar].join(', ')}.`
  }
  if (!nullable && !column.isRequired)
    return 'allows NULL, which Better Auth never does. Set it NOT NULL.'
  return null
}
