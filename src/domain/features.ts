import type { AdditionalField, ExtensibleModel } from './additional-field.ts'

/** Which parts of the graph one database has: fields of Better Auth plug-ins it lacks are left out of its graph. */
export interface Features {
  /** The organization plug-in: organizations, members and permissions. */
  readonly organizations: boolean
  /** Better Auth's names of the tables that it has. No `Session` where sessions are kept outside the database. */
  readonly models: ReadonlySet<string>
  /** Those of the optional fields of a user that have a column. */
  readonly userFields: ReadonlySet<string>
  /** The application's own. */
  readonly additional: Readonly<Record<ExtensibleModel, readonly AdditionalField[]>>
}
