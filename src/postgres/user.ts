import type { Listed, Page, PageRequest } from '../domain/page.ts'
import type { User, UserFilter, UserOrder, UserRepository, UserSummary } from '../domain/user.ts'
import { type Database, Prisma } from './client.ts'
import { allOf, holdsRole, matches } from './conditions.ts'
import { byInstant, byText, countAll, type List, listAll } from './list.ts'
import { entityReader, reader, type TableInQuery, type Tables } from './tables.ts'

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
] as const satisfies readonly Exclude<keyof User, 'additional'>[]

export class PrismaUserRepository implements UserRepository {
  readonly #database: Database
  readonly #tables: Tables

  constructor(database: Database, tables: Tables) {
    this.#database = database
    this.#tables = tables
  }

  findByIds(ids: readonly string[]): Promise<readonly User[]> {
    return this.#findBy('id', ids)
  }

  findByEmails(emails: readonly string[]): Promise<readonly User[]> {
    return this.#findBy(
      'email',
      emails.map((email) => email.toLowerCase()),
    )
  }

  list(page: PageRequest, filter: UserFilter, order: UserOrder): Promise<Page<Listed<User>>> {
    const user = this.#tables.as('User', 'u')
    const columns = user.selectEntity(userFields)
    return listAll(this.#database, this.#list(filter, order), columns, readUser, page)
  }

  count(filter: UserFilter): Promise<number> {
    const order: UserOrder = { field: 'CREATED_AT', direction: 'ASC' }
    return countAll(this.#database, this.#list(filter, order))
  }

  async #findBy(field: 'id' | 'email', values: readonly string[]): Promise<readonly User[]> {
    const user = this.#tables.as('User', 'u')
    const rows = await this.#database.read<Record<string, unknown>>(Prisma.sql`
      SELECT ${user.selectEntity(userFields)} FROM ${user.from}
      WHERE ${user.column(field)} = ANY(${user.array(field, values)})`)
    return rows.map(readUser)
  }

  #list(filter: UserFilter, { field, direction }: UserOrder): List {
    const user = this.#tables.as('User', 'u')
    return {
      table: user,
      parent: null,
      key: {
        CREATED_AT: byInstant(user, 'createdAt'),
        NAME: byText(user, 'name'),
        EMAIL: byText(user, 'email'),
      }[field],
      direction,
      join: Prisma.empty,
      where: this.#conditions(filter),
    }
  }

  #conditions({ search, role, banned, createdAfter, createdBefore }: UserFilter): Prisma.Sql {
    const user = this.#tables.as('User', 'u')
    return allOf([
      search && matches(this.#tables, user, search),
      role !== undefined && holdsRole(user.column('role'), [role]),
      banned !== undefined &&
        Prisma.sql`${user.column('banned')} IS ${Prisma.raw(banned ? 'TRUE' : 'NOT TRUE')}`,
      createdAfter && Prisma.sql`${user.column('createdAt')} > ${instant(user, createdAfter)}`,
      createdBefore && Prisma.sql`${user.column('createdAt')} < ${instant(user, createdBefore)}`,
    ])
  }
}

function instant(user: TableInQuery, date: Date): Prisma.Sql {
  return user.instant('createdAt', Prisma.sql`${date.toISOString()}::text::timestamptz`)
}

/** From a row with a user under the alias `u`. */
export const readUser = entityReader<User>('u', userFields)

export const summaryFields = ['id', 'name', 'image', 'email'] as const

/** Likewise. */
export const readSummary = reader<UserSummary>('u', summaryFields)
