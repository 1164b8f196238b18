import { type Database, Prisma } from './client.ts'

/** A table of which row-level security shows this role some rows or none. */
export interface RowSecurity {
  readonly table: string
  /**
   * `none`: no policy lets this role read. Policies for everybody count only when they show every row: they are about
   * whoever the application says is asking, which the gateway never says. `some`: a policy that names this role has a
   * condition, so somebody meant it.
   */
  readonly shows: 'none' | 'some'
}

/**
 * Asks the catalog, never the tables: an empty table and one whose rows are hidden look alike to those who read them.
 * @throws GatewayError when the database cannot be asked.
 */
export async function findRowSecurity(
  { read }: Pick<Database, 'read'>,
  schema: string,
  tables: readonly string[],
): Promise<readonly RowSecurity[]> {
  const rows = await read<Found>(Prisma.sql`
    WITH policy AS (
      SELECT p.polrelid, p.polpermissive AS permissive,
        coalesce(pg_get_expr(p.polqual, p.polrelid), 'true') = 'true' AS unconditional,
        EXISTS (SELECT FROM unnest(p.polroles) AS r WHERE r <> 0 AND ${holds}) AS named
      FROM pg_catalog.pg_policy AS p
      WHERE p.polcmd IN ('r', '*') AND EXISTS (SELECT FROM unnest(p.polroles) AS r WHERE r = 0 OR ${holds})
    )
    SELECT c.relname::text AS "table",
      coalesce(bool_or(p.permissive AND (p.unconditional OR p.named)), FALSE)
        AND NOT coalesce(bool_or(NOT p.permissive AND NOT p.unconditional AND NOT p.named), FALSE) AS "some",
      coalesce(bool_or(p.permissive AND p.unconditional), FALSE)
        AND NOT coalesce(bool_or(NOT p.permissive AND NOT p.unconditional), FALSE) AS "all"
    FROM pg_catalog.pg_class AS c
    JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
    LEFT JOIN policy AS p ON p.polrelid = c.oid
    WHERE n.nspname = ${schema} AND c.relname = ANY(${tables}::text[]) AND row_security_active(c.oid)
    GROUP BY c.relname ORDER BY c.relname`)
  return rows
    .filter((row) => !row.all)
    .map((row) => ({ table: row.table, shows: row.some ? 'some' : 'none' }))
}

/** Of a role that is not everybody, which `pg_has_role` does not know. */
const holds = Prisma.sql`CASE WHEN r = 0 THEN FALSE ELSE pg_has_role(r, 'USAGE') END`

interface Found {
  readonly table: string
  readonly some: boolean
  readonly all: boolean
}
