import type { GrantingRole } from '../domain/permission.ts'
import { Prisma } from './client.ts'
import { textsOf } from './statements.ts'
import type { TableInQuery, Tables } from './tables.ts'

/** Joins conditions into what follows a WHERE: each with AND before it. Those not asked for are left out. */
export function allOf(conditions: readonly (Prisma.Sql | null | undefined | false)[]): Prisma.Sql {
  const given = conditions.filter((condition) => condition instanceof Prisma.Sql)
  return given.length === 0 ? Prisma.empty : Prisma.sql`AND ${Prisma.join(given, ' AND ')}`
}

/** That what a row stands for has not ended, by the database's clock. */
export function lasts(table: TableInQuery): Prisma.Sql {
  return Prisma.sql`${table.column('expiresAt')} > ${table.instant('expiresAt', Prisma.sql`now()`)}`
}

/** How the catalog writes that an index is over a column in lower case, whichever type of text the column is of. */
export function loweredDefinitions(column: string): Prisma.Sql {
  return Prisma.sql`format('lower(%I)', ${column}::text), format('lower(%I::text)', ${column}::text)`
}

/** What JavaScript's `trim` takes away, as Better Auth does around names of roles. */
const BLANKS =
  ' \t\n\v\f\r\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000\ufeff'

/** The names in a column of role names, which are separated by commas, as rows of `held (role)`. */
function held(column: Prisma.Sql): Prisma.Sql {
  return Prisma.sql`(
    SELECT btrim(name, ${BLANKS}) FROM unnest(string_to_array(${column}::text, ',')) AS stored (name)
    WHERE btrim(name, ${BLANKS}) <> ''
  ) AS held (role)`
}

/** That a column with role names holds at least one of these. */
export function holdsRole(column: Prisma.Sql, roles: readonly string[]): Prisma.Sql {
  return Prisma.sql`EXISTS (
    SELECT FROM ${held(column)} WHERE held.role = ANY(${textsOf(roles)}))`
}

/** That a column with role names holds one of these roles, each in its own organization or in every one. */
export function holdsGrantingRole(
  column: Prisma.Sql,
  organizationId: Prisma.Sql,
  granting: readonly GrantingRole[],
): Prisma.Sql {
  const organizations = granting.map((role) => role.organizationId)
  const roles = granting.map(({ role }) => role)
  return Prisma.sql`EXISTS (
    SELECT FROM ${held(column)}
    JOIN unnest(${textsOf(organizations)}, ${textsOf(roles)}) AS granting (organization_id, role)
      ON granting.role = held.role
    WHERE granting.organization_id IS NULL OR granting.organization_id = ${organizationId}::text)`
}

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
