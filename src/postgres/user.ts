import type { User, UserFilter, UserOrder, UserRepository, UserSummary } from '../domain/user.ts'
import { Prisma } from './client.ts'
import { additional, Columns } from './columns.ts'
import { allOf, holdsRole, loweredDefinitions, matches } from './conditions.ts'
import { type Db, joining, lookUp, unambiguous } from './db.ts'
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
  const addressOf = ({ email }: User) => lowered(email)
  const indexed = loweredAddresses(db)
  return {
    findByIds: joined(by('id'), (ids) => lookUp(db, user, 'id', ids)),
    findByEmails: joined(byText(addressOf, lowered), async (emails) => {
      const how = { lowered: await indexed() }
      return unambiguous(await lookUp(db, user, 'email', emails.map(lowered), how), addressOf)
    }),
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

const BELIEVED_MS = 60_000

/**
 * Whether addresses are indexed in lower case (`doctor` asks for that index), so that one that another application stored
 * in capitals can be looked for without reading the whole table. Better Auth itself stores them in lower case.
 */
function loweredAddresses({ read, tables }: Db): () => Promise<boolean> {
  let known: Promise<boolean> | undefined
  let askedAt = Number.NEGATIVE_INFINITY
  const ask = async () => {
    const { relation, name, type } = tables.as('User', 'u').real('email')
    if (type !== 'text') return false
    const [row] = await read<{ readonly indexed: boolean }>(Prisma.sql`
      SELECT EXISTS (
        SELECT FROM pg_catalog.pg_index AS i
        WHERE i.indrelid = to_regclass(${relation}) AND i.indisvalid AND i.indpred IS NULL
          AND pg_get_indexdef(i.indexrelid, 1, TRUE) IN (${loweredDefinitions(name)})) AS "indexed"`)
    return row?.indexed ?? false
  }
  return () => {
    if (known && performance.now() - askedAt < BELIEVED_MS) return known
    askedAt = performance.now()
    known = ask().catch((error: unknown) => {
      known = undefined
      throw error
    })
    return known
  }
}
