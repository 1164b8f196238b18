import type { User, UserFilter, UserOrder, UserRepository, UserSummary } from '../domain/user.ts'
import { Prisma } from './client.ts'
import { additional, Columns } from './columns.ts'
import { allOf, holdsRole, loweredDefinitions } from './conditions.ts'
import { type Db, joining, lookUp, unambiguous } from './db.ts'
import { by, byText } from './join.ts'
import { countAll, listAll } from './list.ts'
import { byInstant, byText as orderedByText } from './order.ts'
import { type List, storedValues } from './rows.ts'
import { believed } from './search/believed.ts'
import { findIds, matches } from './search/search.ts'
import type { TableInQuery } from './tables.ts'

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
  lastLoginMethod: 'same',
  additional,
})

export const summary = new Columns<UserSummary>(
  'User',
  'u',
  { id: 'same', name: 'same', image: 'same', email: 'same' },
  'views',
)

/** By hand, because users are looked up with most requests. */
export function createUserRepository(db: Db): UserRepository {
  const joined = joining(db, 'users')
  const lowered = (email: string) => email.toLowerCase()
  const addressOf = ({ email }: User) => lowered(email)
  const nameOf = ({ username }: User) => username ?? ''
  const indexed = loweredAddresses(db)
  return {
    findByIds: joined(by('id'), (ids) => lookUp(db, user, 'id', ids)),
    findByEmails: joined(byText(addressOf, lowered), async (emails) => {
      const how = { lowered: await indexed() }
      return unambiguous(await lookUp(db, user, 'email', emails.map(lowered), how), addressOf)
    }),
    findByUsernames: joined(byText(nameOf, String), async (names) =>
      unambiguous(await lookUp(db, user, 'username', names), nameOf),
    ),
    list: (page, filter, order) => listAll(db, all(db, filter, order), user, page),
    count: (filter) => countAll(db, all(db, filter)),
  }
}

function all(
  db: Db,
  filter: UserFilter,
  { field, direction }: UserOrder = { field: 'CREATED_AT', direction: 'ASC' },
): List {
  const { tables } = db
  const { search, role, banned } = filter
  const table = tables.as('User', 'u')
  const byTime = field === 'CREATED_AT'
  const key = byInstant(table, 'createdAt')
  const when = created(table, filter)
  const conditions = allOf([
    search && matches(tables, table, search),
    role !== undefined && holdsRole(table.column('role'), [role]),
    banned !== undefined &&
      Prisma.sql`${table.column('banned')} IS ${Prisma.raw(banned ? 'TRUE' : 'NOT TRUE')}`,
  ])
  const inOrder = {
    table,
    parent: null,
    key: {
      CREATED_AT: key,
      NAME: orderedByText(table, 'name'),
      EMAIL: orderedByText(table, 'email'),
    }[field],
    direction,
    within: byTime ? when : Prisma.empty,
    where: byTime ? conditions : Prisma.sql`${conditions} ${when}`,
  }
  const narrowed =
    role !== undefined
      ? storedValues(tables.as('User', 'stored'), null, 'role', key, (value) =>
          allOf([holdsRole(value, [role])]),
        )
      : banned
        ? { field: 'banned', key, values: Prisma.sql`(VALUES (TRUE))` }
        : undefined
  const gathered = { ...inOrder, within: when, where: conditions, gathered: true }
  if (search)
    return {
      ...inOrder,
      otherwise: async () => {
        const ids = await findIds(db, search)
        const values = Prisma.sql`unnest(${table.array('id', ids ?? [])})`
        return ids && { ...gathered, narrowed: { field: 'id', values } }
      },
    }
  if (byTime) return { ...inOrder, narrowed }
  return narrowed || when !== Prisma.empty
    ? { ...inOrder, otherwise: async () => ({ ...gathered, narrowed, withinBy: key }) }
    : inOrder
}

function created(table: TableInQuery, { createdAfter, createdBefore }: UserFilter): Prisma.Sql {
  return allOf([
    createdAfter && Prisma.sql`${table.column('createdAt')} > ${instant(table, createdAfter)}`,
    createdBefore && Prisma.sql`${table.column('createdAt')} < ${instant(table, createdBefore)}`,
  ])
}

function instant(table: TableInQuery, date: Date): Prisma.Sql {
  return table.instant('createdAt', Prisma.sql`${date.toISOString()}::text::timestamptz`)
}

/**
 * Whether addresses are indexed in lower case (`doctor` asks for that index), so that one that another application stored
 * in capitals can be looked for without reading the whole table. Better Auth itself stores them in lower case.
 */
function loweredAddresses({ read, tables }: Db): () => Promise<boolean> {
  return believed(async () => {
    const { relation, name, type } = tables.as('User', 'u').real('email')
    if (type !== 'text') return false
    const [row] = await read<{ readonly indexed: boolean }>(Prisma.sql`
      SELECT EXISTS (
        SELECT FROM pg_catalog.pg_index AS i
        WHERE i.indrelid = to_regclass(${relation}) AND i.indisvalid AND i.indpred IS NULL
          AND pg_get_indexdef(i.indexrelid, 1, TRUE) IN (${loweredDefinitions(name)})) AS "indexed"`)
    return row?.indexed ?? false
  })
}
