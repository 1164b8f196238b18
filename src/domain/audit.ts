import type { Caller, Scope } from './caller.ts'
import type { Consistency, Grant, Permission, Subject } from './permission.ts'

/** Where records go. A request waits for `write` to return, and for no promise that it gives. */
export interface AuditSink {
  write(record: AuditRecord): unknown
}

/** What one request told its caller. No record holds a value of somebody's data. */
export type AuditRecord = Told & {
  /** ISO 8601, in UTC. */
  readonly time: string
  readonly requestId: string
  readonly caller: Recorded<Caller>
}

/** As JSON has it, of each kind. */
type Recorded<Kind> = Kind extends { readonly scopes: unknown }
  ? Omit<Kind, 'scopes'> & { readonly scopes: readonly Scope[] }
  : Kind

export type Told = Decision | Reading

/** Personal data of one person, told to somebody else; or of people, kept by an organization. */
export interface Reading extends Partial<Subject> {
  readonly audit: 'pii'
  /** As coordinates of the graph, for example `User.email`. */
  readonly fields: readonly string[]
}

/** The answer to one question about permissions. */
export interface Decision extends Partial<Subject> {
  readonly audit: 'decision'
  /** What was asked, for example `Query.can`. */
  readonly field: string
  /** Absent: all that the person may do was asked for. */
  readonly permission?: Permission
  readonly allowed?: boolean
  readonly permissions?: readonly Permission[]
  /** Of a list of those who may: whom it showed, or where one person may. */
  readonly userIds?: readonly string[]
  readonly organizationIds?: readonly string[]
  readonly consistency: Consistency
  readonly source: Grant['source']
  /** Since the members table was read. */
  readonly ageSeconds: number
}

/** What the fields of one operation told, as far as it has run. */
export interface AuditTrail {
  /** @param empty Whether the field is null by itself, and not because of an error below it. */
  note(path: Path, empty: boolean, told: readonly Told[]): void
}

/** Where a field is in the answer. */
export type Path = readonly (string | number)[]
