import type { User, UserFilter, UserOrder, UserRepository, UserSummary } from '../domain/user.ts'
import { Prisma } from './client.ts'
import { additional, Columns } from './columns.ts'
import { allOf, holdsRole, matches } from './conditions.ts'
import { type Db, joining, lookUp } from './db.ts'
import { by, byText } from './join.ts'
import { byInstant, countAll, type List, listAll, byText as orderedByText } from './list.ts'
import type { TableInQuery, Tables } from './tables.ts'

/** Every column of a user that may leave the repository. */
export const user = new Columns<User>('User', 'u', {
  id: 'same',
  name: 'same',
  image: 'same',
  email: 'same',
  emailVerified: 'same',
  createdAt: 'same',
  updatedAt: 'same',
  username: 'same',
  displayUsername: 'same',
  phoneNumber: 'same',
  phoneNumberVerified: 'same',
  twoFactorEnabled: 'same',
  isAnonymous: 'same',
  role: 'same',
  banned: 'same',
  banReason: 'same',
  banExpires: 'same',
  additional,
})

export const summary = new Columns<UserSummary>('User', 'u', {
  id: 'same',
  name: 'same',
  image: 'same',
  email: 'same',
})

/** By hand, because users are looked up with most requests. */
export function createUserRepository(db: Db): UserRepository {
  const { tables } = db
  const joined = joining(db, 'users')
  const lowered = (email: string) => email.toLowerCase()
  return {
    findByIds: joined(by('id'), (ids) => lookUp(db, user, 'id', ids)),
    findByEmails: joined(
      byText(({ email }: User) => lowered(email), lowered),
      (emails) => lookUp(db, user, 'email', emails.map(lowered)),
    ),
    list: (page, filter, order) => listAll(db, all(tables, filter, order), user, page),
    count: (filter) => countAll(db, all(tables, filter)),
  }
}

function all(
  tables: Tables,
  filter: UserFilter,
  { field, direction }: UserOrder = { field: 'CREATED_AT', direction: 'ASC' },
): List {
  const table = tables.as('User', 'u')
  return {
    table,
    parent: null,
    key: {
      CREATED_AT: byInstant(table, 'createdAt'),
      NAME: orderedByText(table, 'name'),
      EMAIL: orderedByText(table, 'email'),
    }[field],
    direction,
    where: conditions(tables, filter),
  }
}

function conditions(
  tables: Tables,
  { search, role, banned, createdAfter, createdBefore }: UserFilter,
): Prisma.Sql {
  const table = tables.as('User', 'u')
  return allOf([
    search && matches(tables, table, search),
    role !== undefined && holdsRole(table.column('role'), [role]),
    banned !== undefined &&
      Prisma.sql`${table.column('banned')} IS ${Prisma.raw(banned ? 'TRUE' : 'NOT TRUE')}`,
    createdAfter && Prisma.sql`${table.column('createdAt')} > ${instant(table, createdAfter)}`,
    createdBefore && Prisma.sql`${table.column('createdAt')} < ${instant(table, createdBefore)}`,
  ])
}

function instant(table: TableInQuery, date: Date): Prisma.Sql {
  return table.instant('createdAt', Prisma.sql`${date.toISOString()}::text::timestamptz`)
}
