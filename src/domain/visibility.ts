import type { User } from './user.ts'

/** What one user may see of what was asked for, read together with the user's own live row. */
export interface Sight {
  readonly self: User
  /** Those of the organizations asked for that the user belongs to. */
  readonly organizationIds: ReadonlySet<string>
  /** Those of the users asked for that share an organization with the user. */
  readonly coMemberIds: ReadonlySet<string>
}

export interface VisibilityRepository {
  /** One statement. `null`: the user does not exist or is effectively banned (a ban that has run out does not count). */
  look(
    userId: string,
    at: { readonly organizationIds: readonly string[]; readonly userIds: readonly string[] },
  ): Promise<Sight | null>
}
