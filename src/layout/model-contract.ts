import type { Model } from './contract.ts'

export type Scalar = 'String' | 'Boolean' | 'DateTime' | 'Int'

export interface ModelContract {
  /** A database without its table cannot be served at all. Other models come with plug-ins or settings. */
  readonly required?: true
  /** A table that is not as Better Auth's is left out: nothing that others may do or are told hangs on it. */
  readonly dispensable?: true
  /** Without a table for this other model, the graph has no use for one of this. */
  readonly partner?: Model
  /** Prisma types of the columns that every table of this kind has. */
  readonly columns: Readonly<Record<string, Scalar | `${Scalar}?`>>
  /** Prisma types of the columns that a plug-in or a later version of Better Auth adds. */
  readonly optional?: Readonly<Record<string, `${Scalar}?`>>
  readonly unique?: readonly string[]
  /** Optional columns that may not be left out when they cannot be read: without them more would be allowed. */
  readonly essential?: readonly string[]
  /** Columns with names separated by commas, which some applications keep as an array. */
  readonly lists?: readonly string[]
  /** Columns with several texts: an array of PostgreSQL's or in JSON, or a text with spaces between them. */
  readonly arrays?: readonly string[]
  /** Foreign keys by the name of the field that follows them; `back` is the list on the other side. */
  readonly relations?: Readonly<Record<string, Relation>>
  /** Columns that never enter the canonical schema, but tell a renamed table from others with the same columns. */
  readonly signature?: readonly string[]
}

export interface Relation {
  readonly column: string
  readonly to: Model
  readonly back: string
}
