/** An entity in JSON, under Better Auth's names. */
export type Json = Readonly<Record<string, unknown>>

/** A list, or that the caller was refused it. */
export type Shown = readonly Json[] | 'refused'

/** Everything that one caller is shown, in the same words whoever shows it; lists are ordered by id. */
export interface View {
  readonly organizations: Shown
  readonly teams: Shown
  readonly received: Shown
  readonly sessions: Shown
  readonly accounts: Shown
  readonly users: Shown
  /** Of each organization there is, by id. */
  readonly in: Readonly<Record<string, OrganizationView | 'refused'>>
}

export interface OrganizationView {
  readonly organization: Json
  readonly members: Shown
  readonly invitations: Shown
  readonly teams: Shown
  /** By team. */
  readonly teamMembers: Readonly<Record<string, Shown>>
  readonly roles: Shown
}

export function inOrder(items: readonly Json[]): readonly Json[] {
  const key = ({ id, role }: Json) => String(id ?? role)
  return items.toSorted((a, b) => (key(a) < key(b) ? -1 : 1))
}
