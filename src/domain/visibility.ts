import type { Delegation } from './caller.ts'
import type { User } from './user.ts'

/** What one user may see of what was asked for, read together with the user's own live row. */
export interface Sight {
  readonly self: User
  /** Those of the organizations asked for that the user belongs to. */
  readonly organizationIds: ReadonlySet<string>
  /** Those of the users asked for that share an organization with the user. */
  readonly coMemberIds: ReadonlySet<string>
}

/** What a user asks to see. */
export interface SightQuestion {
  /** Who asks. */
  readonly userId: string
  /** Through whom; absent or `null`: they ask themselves. */
  readonly delegation?: Delegation | null
  readonly organizationIds: readonly string[]
  readonly userIds: readonly string[]
}

export interface VisibilityRepository {
  /**
   * One statement, whoever asks: the answers are in the order of the questions, each as if it had been asked alone.
   * `null`: the user does not exist or is effectively banned (a ban that has run out does not count), or what is delegated
   * has ended.
   */
  look(questions: readonly SightQuestion[]): Promise<readonly (Sight | null)[]>
  /** Those of the users who belong to the organization; `null`: it does not exist. */
  findMembers(
    organizationId: string,
    userIds: readonly string[],
  ): Promise<ReadonlySet<string> | null>
}
