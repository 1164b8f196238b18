import { literal, quote } from '../../layout/quote.ts'
import { Prisma } from '../../postgres/client.ts'
import type { Check, Finding } from '../finding.ts'
import { grantedTo, grantee } from '../sql.ts'

/** Whether the role may create things: in the database, in one of its schemas, or for as long as it is connected. */
export const checkCreation: Check = async ({ database, role }) => {
  const rows = await database.read<Creation>(CREATIONS)
  const [made] = await database.read<{ readonly count: number }>(LARGE_OBJECTS)
  const found: Found[] = rows.map(({ privilege, kind, name, to }) => {
    const what = `${kind} ${quote(name)}`
    const lasts = privilege === 'CREATE'
    return {
      level: lasts ? 'error' : 'warning',
      message: `${privilege} on ${what} is granted to ${grantedTo(to, role)}: ${lasts ? 'what is made there could stand in for what the gateway calls' : 'temporary tables can fill the disk, and no setting limits them'}.`,
      sql: `revoke ${privilege.toLowerCase()} on ${what} from ${grantee(to)};`,
    }
  })
  return made?.count ? [...found, ofLargeObjects(made.count, role)] : found
}

type Found = Omit<Finding, 'check'>

interface Creation {
  readonly privilege: 'CREATE' | 'TEMPORARY'
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
  SELECT privilege_type AS "privilege", "kind", "name", CASE WHEN grantee <> 0 THEN pg_get_userbyid(grantee)::text END AS "to" FROM held
  WHERE privilege_type IN ('CREATE', 'TEMPORARY')
    AND CASE WHEN grantee = 0 THEN TRUE ELSE pg_has_role(grantee, 'MEMBER') END
    AND NOT (SELECT rolsuper FROM pg_catalog.pg_roles WHERE rolname = current_user)
  ORDER BY 1, 2, 3, grantee`

/** Those that it has made, found by an index however many there are. */
const LARGE_OBJECTS = Prisma.sql`
  SELECT count(*)::int AS "count" FROM pg_catalog.pg_shdepend AS s
  JOIN pg_catalog.pg_roles AS r ON r.oid = s.refobjid AND r.rolname = current_user
  JOIN pg_catalog.pg_database AS d ON d.oid = s.dbid AND d.datname = current_database()
  WHERE s.refclassid = 'pg_catalog.pg_authid'::regclass AND s.classid = 'pg_catalog.pg_largeobject'::regclass`

function ofLargeObjects(count: number, role: string): Found {
  return {
    level: 'warning',
    message: `The role "${role}" owns large objects (${count}), and the gateway never makes any: look at who else uses the role.`,
    sql: `select lo_unlink(oid) from pg_largeobject_metadata where lomowner = ${literal(quote(role))}::regrole;`,
  }
}
