import type { AdditionalField, ExtensibleModel } from './additional-field.ts'

/** Which parts of the graph one database has: fields of Better Auth plug-ins it lacks are left out of its graph. */
export interface Features {
  /** The organization plug-in: organizations, members and permissions. */
  readonly organizations: boolean
  readonly invitations: boolean
  readonly teams: boolean
  readonly accounts: boolean
  /** False where Better Auth keeps sessions outside the database. */
  readonly sessions: boolean
  /** Those of the optional fields of a user that have a column. */
  readonly userFields: ReadonlySet<string>
  /** The application's own. */
  readonly additional: Readonly<Record<ExtensibleModel, readonly AdditionalField[]>>
}
