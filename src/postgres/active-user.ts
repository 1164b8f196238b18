import { Prisma } from './client.ts'
import type { TableInQuery, Tables } from './tables.ts'

/**
 * The condition that a user is not effectively banned, by the database's clock. Better Auth leaves `banned` set after a
 * ban has run out, until the next sign-in.
 */
export function activeUser(tables: Tables, user: TableInQuery): Prisma.Sql {
  if (!tables.has('User', 'banned')) return Prisma.sql`TRUE`
  const lasting = tables.has('User', 'banExpires')
    ? Prisma.sql`(${user.column('banExpires')} IS NULL
        OR ${user.column('banExpires')} > ${user.instant('banExpires', Prisma.sql`now()`)})`
    : Prisma.sql`TRUE`
  return Prisma.sql`NOT (${user.column('banned')} IS TRUE AND ${lasting})`
}
