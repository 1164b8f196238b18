import type { AdditionalField } from '../domain/additional-field.ts'
import type { Model } from './contract.ts'

export const storedTypes = [
  'text',
  'citext',
  'uuid',
  'integer',
  'boolean',
  'timestamptz',
  'timestamp',
  'jsonb',
  'json',
  'date',
  'inet',
  'enum',
  'number',
  'array',
] as const
export type StoredType = (typeof storedTypes)[number]

/** Whether a type holds what a clock shows, and not whose. */
export function isWallClock(type: StoredType | undefined): boolean {
  return type === 'timestamp' || type === 'date'
}

/** The clock that it is, unless the operator says another. */
export const UTC = 'UTC'

export interface Column {
  /** Its real name in the database. */
  readonly name: string
  /** Its PostgreSQL type, as far as SQL has to know: what is made of it, and what a parameter compared with it is cast to. */
  readonly type: StoredType
  /** That it must not be NULL. Where Better Auth relies on that and the database does not, NULL has a stand-in: see `Columns`. */
  readonly required?: true
  /** How the graph shows it, when it is a column of the application's own. */
  readonly additional?: AdditionalField
  /** Of a column that marks absent rows (see `MARK`): its values that do, as text; `null`: all but NULL. */
  readonly absentWhen?: readonly string[] | null
}

export interface Table {
  /** Its real name, without the PostgreSQL schema. */
  readonly name: string
  /** By canonical field name, or that of an additional field. Optional columns that the database lacks are left out. */
  readonly columns: Readonly<Record<string, Column>>
  /** The real name of the column with session tokens, or hashes of API keys or access tokens, which can be selected by nobody but the owner's function. */
  readonly tokenColumn?: string
  /**
   * Of sessions: whether whoever has a row that has not expired is signed in, as Better Auth is configured. Absent: it was
   * not asked.
   */
  readonly authoritative?: boolean
}

/** How one database names what Better Auth keeps. A model whose plug-in is not installed is `null`. */
export type Layout = Readonly<Record<Model, Table | null>>
