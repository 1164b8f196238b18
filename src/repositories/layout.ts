/** Tables of Better Auth under the names this project calls them by. */
export const models = [
  'User',
  'Session',
  'Account',
  'Organization',
  'Member',
  'Invitation',
  'Team',
  'TeamMember',
  'OrganizationRole',
  'Jwks',
] as const
export type Model = (typeof models)[number]

export interface Column {
  /** Its real name in the database. */
  readonly name: string
  /** Its PostgreSQL type, as far as SQL has to know: what a parameter compared with it is cast to. */
  readonly type:
    | 'text'
    | 'uuid'
    | 'boolean'
    | 'timestamptz'
    | 'timestamp'
    | 'jsonb'
    | 'json'
    | 'enum'
  /** That it must not be NULL. */
  readonly required?: true
}

export interface Table {
  /** Its real name, without the PostgreSQL schema. */
  readonly name: string
  /** By canonical field name. Optional columns that the database lacks are left out. */
  readonly columns: Readonly<Record<string, Column>>
}

/** How one database names what Better Auth keeps. A model whose plug-in is not installed is `null`. */
export type Layout = Readonly<Record<Model, Table | null>>
