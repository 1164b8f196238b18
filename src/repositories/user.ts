import type { User, UserRepository } from '../domain/user.ts'
import type { Database } from './client.ts'
import type { Tables } from './tables.ts'

/** Every column of a user that may leave the repository. */
export const userFields = [
  'id',
  'name',
  'image',
  'email',
  'emailVerified',
  'createdAt',
  'updatedAt',
  'username',
  'displayUsername',
  'phoneNumber',
  'phoneNumberVerified',
  'twoFactorEnabled',
  'isAnonymous',
  'role',
  'banned',
  'banReason',
  'banExpires',
] as const satisfies readonly (keyof User)[]

export class PrismaUserRepository implements UserRepository {
  readonly #users: Database['models']['user']
  readonly #select: Readonly<Record<string, true>>

  constructor({ models }: Database, tables: Tables) {
    this.#users = models.user
    this.#select = Object.fromEntries(
      tables.present('User', userFields).map((field) => [field, true]),
    )
  }

  async findByIds(ids: readonly string[]): Promise<readonly User[]> {
    const rows = await this.#users.findMany({
      where: { id: { in: [...ids] } },
      select: this.#select,
    })
    return rows.map(toUser)
  }

  async findByEmails(emails: readonly string[]): Promise<readonly User[]> {
    const rows = await this.#users.findMany({
      where: { email: { in: emails.map((email) => email.toLowerCase()) } },
      select: this.#select,
    })
    return rows.map(toUser)
  }
}

/** From the columns that were present: those the database lacks are `null`. */
export function toUser(row: Readonly<Record<string, unknown>>): User {
  return Object.fromEntries(
    userFields.map((field) => [field, row[field] ?? null]),
  ) as unknown as User
}
