import type { UserSearch } from '../domain/user.ts'
import { Prisma } from './client.ts'
import type { TableInQuery, Tables } from './tables.ts'

/** Joins conditions into what follows a WHERE: each with AND before it. Those not asked for are left out. */
export function allOf(conditions: readonly (Prisma.Sql | null | undefined | false)[]): Prisma.Sql {
  const given = conditions.filter((condition) => condition instanceof Prisma.Sql)
  return given.length === 0 ? Prisma.empty : Prisma.sql`AND ${Prisma.join(given, ' AND ')}`
}

/** That a column with role names, separated by commas, holds at least one of these. */
export function holdsRole(column: Prisma.Sql, roles: readonly string[]): Prisma.Sql {
  return Prisma.sql`EXISTS (
    SELECT FROM unnest(string_to_array(${column}, ',')) AS held (role)
    WHERE btrim(held.role) = ANY(${roles}::text[]))`
}

/** That one of the fields of a user begins with the text. Fields the database lacks do not. */
export function matches(tables: Tables, user: TableInQuery, search: UserSearch): Prisma.Sql {
  const pattern = `${search.prefix.toLowerCase().replaceAll(/[\\%_]/g, '\\$&')}%`
  const conditions = tables
    .present('User', search.in)
    .map((field) => Prisma.sql`lower(${user.column(field)}) LIKE ${pattern}`)
  return conditions.length === 0
    ? Prisma.sql`FALSE`
    : Prisma.sql`(${Prisma.join(conditions, ' OR ')})`
}
