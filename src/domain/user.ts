import type { AdditionalValues } from './additional-field.ts'
import type { Count, Listed, Order, Page, PageRequest } from './page.ts'

/**
 * A person Better Auth knows. Fields that a Better Auth plug-in adds are `null` where the database lacks their column.
 * Dates are instants; `email` is stored in lower case.
 */
export interface User {
  readonly id: string
  readonly name: string
  readonly image: string | null
  readonly email: string
  readonly emailVerified: boolean
  readonly createdAt: Date
  readonly updatedAt: Date
  readonly username: string | null
  readonly displayUsername: string | null
  readonly phoneNumber: string | null
  readonly phoneNumberVerified: boolean | null
  readonly twoFactorEnabled: boolean | null
  readonly isAnonymous: boolean | null
  /** Names of global roles, separated by commas, as the admin plug-in stores them. */
  readonly role: string | null
  readonly banned: boolean | null
  readonly banReason: string | null
  readonly banExpires: Date | null
  readonly lastLoginMethod: string | null
  readonly additional: AdditionalValues
}

/** What a list of members brings of each person; what is undefined, and the rest, is read when it is asked for. */
export interface UserSummary extends Pick<User, 'id' | 'name'> {
  readonly image?: string | null | undefined
  readonly email?: string | undefined
}

export type UserOrder = Order<'CREATED_AT' | 'NAME' | 'EMAIL'>

/** Every condition given must hold. */
export interface UserFilter {
  readonly search?: UserSearch | undefined
  /** A global role that is held, among others or alone. */
  readonly role?: string | undefined
  /** What the column says; a ban that has run out may still be there. */
  readonly banned?: boolean | undefined
  readonly createdAfter?: Date | undefined
  readonly createdBefore?: Date | undefined
}

/**
 * How one of these fields begins, or a word in a name or an address, without regard to case; with an `@`, how an address
 * goes on there.
 */
export interface UserSearch {
  readonly prefix: string
  readonly in: readonly ('name' | 'email' | 'username')[]
}

export interface UserRepository {
  /** The users that exist, in any order. Unknown ids are left out. */
  findByIds(ids: readonly string[]): Promise<readonly User[]>
  /** The users that have one of these addresses, compared without regard to case, in any order. */
  findByEmails(emails: readonly string[]): Promise<readonly User[]>
  /** The users that have one of these names to sign in with, as they are stored, in any order. */
  findByUsernames(usernames: readonly string[]): Promise<readonly User[]>
  list(page: PageRequest, filter: UserFilter, order: UserOrder): Promise<Page<Listed<User>>>
  count(filter: UserFilter): Promise<Count>
}
