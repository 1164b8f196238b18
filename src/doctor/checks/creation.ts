import { quote } from '../../layout/quote.ts'
import { Prisma } from '../../postgres/client.ts'
import type { Check } from '../finding.ts'
import { grantedTo, grantee } from '../sql.ts'

/** Whether the role may create things: in the database, or in one of its schemas. */
export const checkCreation: Check = async ({ database, role }) => {
  const rows = await database.read<Creation>(CREATIONS)
  return rows.map(({ kind, name, to }) => {
    const what = `${kind} ${quote(name)}`
    return {
      level: 'error',
      message: `CREATE on ${what} is granted to ${grantedTo(to, role)}: what is made there could stand in for what the gateway calls.`,
      sql: `revoke create on ${what} from ${grantee(to)};`,
    }
  })
}

interface Creation {
  readonly kind: 'schema' | 'database'
  readonly name: string
  /** `null`: everybody. */
  readonly to: string | null
}

/** A superuser is another check. */
const CREATIONS = Prisma.sql`
  WITH held AS (
    SELECT 'schema' AS "kind", n.nspname::text AS "name", acl.*
    FROM pg_catalog.pg_namespace AS n, aclexplode(coalesce(n.nspacl, acldefault('n', n.nspowner))) AS acl
    WHERE n.nspname !~ '^(pg_|information_schema$)'
    UNION ALL
    SELECT 'database', d.datname::text, acl.*
    FROM pg_catalog.pg_database AS d, aclexplode(coalesce(d.datacl, acldefault('d', d.datdba))) AS acl
    WHERE d.datname = current_database()
  )
  SELECT "kind", "name", CASE WHEN grantee <> 0 THEN pg_get_userbyid(grantee)::text END AS "to" FROM held
  WHERE privilege_type = 'CREATE'
    AND CASE WHEN grantee = 0 THEN TRUE ELSE pg_has_role(grantee, 'MEMBER') END
    AND NOT (SELECT rolsuper FROM pg_catalog.pg_roles WHERE rolname = current_user)
  ORDER BY 1, 2, grantee`
