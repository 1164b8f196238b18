import type { Model } from '../layout/contract.ts'
import { openCatalogPool } from './engine.ts'
import { singular } from './names.ts'

/**
 * Looks for tables that are named like these models, in other PostgreSQL schemas that this role may read, and of kinds that
 * Prisma does not introspect. Without it, a database whose tables are in two schemas would be served as one without
 * organizations.
 * @returns Whole sentences that say what to do about each.
 */
export async function findElsewhere(
  missing: readonly Model[],
  databaseUrl: string,
  databaseSchema: string,
): Promise<readonly string[]> {
  if (missing.length === 0) return []
  const pool = await openCatalogPool(databaseUrl)
  try {
    const { rows } = await pool.query<Relation>({ text: RELATIONS, values: [databaseSchema] })
    return missing.flatMap((model) =>
      rows
        .filter(({ name }) => singular(name) === singular(model))
        .map((relation) => describe(model, relation, databaseSchema)),
    )
  } finally {
    await pool.end()
  }
}

interface Relation {
  readonly schema: string
  readonly name: string
  readonly kind: string
}

const RELATIONS = `
  SELECT n.nspname::text AS "schema", c.relname::text AS "name",
    CASE c.relkind WHEN 'f' THEN 'foreign table' WHEN 'm' THEN 'materialized view' WHEN 'v' THEN 'view' ELSE 'table' END AS "kind"
  FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
  WHERE (n.nspname <> $1 AND c.relkind IN ('r', 'p', 'v', 'm', 'f') OR n.nspname = $1 AND c.relkind IN ('m', 'f'))
    AND n.nspname !~ '^(pg_|information_schema$)' AND has_schema_privilege(n.oid, 'USAGE')
    AND has_any_column_privilege(c.oid, 'SELECT')
  ORDER BY 1, 2`

function describe(model: Model, { schema, name, kind }: Relation, own: string): string {
  const where = `the PostgreSQL schema "${schema}" has a ${kind} "${name}"`
  return schema === own
    ? `${model}: ${where}, a kind that is not introspected. Make a view of it in another schema, with views of the other tables, and name that schema in DATABASE_SCHEMA.`
    : `${model}: ${where}, and only "${own}" is looked at. If it is Better Auth's, gather all of its tables in one schema: CREATE VIEW there (it is read like a table), and name that schema in DATABASE_SCHEMA.`
}
