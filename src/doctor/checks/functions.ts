import { type OwnerFunction, ownerFunctions } from '../../layout/owner-functions.ts'
import { LARGE_OBJECT_MAKERS } from '../../layout/public-sql.ts'
import { Prisma } from '../../postgres/client.ts'
import type { Check, Examined, Finding } from '../finding.ts'
import { grantedTo, grantee } from '../sql.ts'

/** What the role could do by calling functions: each of these does what no grant on a table allows. */
export const checkFunctions: Check = async (examined) => {
  const { database, role } = examined
  const rows = await database.read<Callable>(callable(examined))
  return rows.map(({ kind, to, functions }) => {
    const rest = functions.length - MOST_LISTED
    const names = functions.slice(0, MOST_LISTED).join(', ') + (rest > 0 ? ` and ${rest} more` : '')
    const { level, why } = KINDS[kind]
    return {
      level: kind === 'large objects' && to !== null ? 'warning' : level,
      message: `EXECUTE on ${names} is granted to ${grantedTo(to, role)}: ${why}.`,
      sql: `revoke execute on routine ${functions.join(', ')} from ${grantee(to)};`,
    }
  })
}

const MOST_LISTED = 5

type Kind = 'withheld' | 'definer' | 'elsewhere' | 'large objects'

interface Callable {
  readonly kind: Kind
  /** `null`: everybody. */
  readonly to: string | null
  /** As SQL names them. */
  readonly functions: readonly string[]
}

const KINDS: Readonly<Record<Kind, { readonly level: Finding['level']; readonly why: string }>> = {
  withheld: {
    level: 'error',
    why: 'PostgreSQL keeps this from everybody, since it reaches files, sessions or settings of the server',
  },
  definer: {
    level: 'warning',
    why: 'it runs with the rights of its owner, so the role may do whatever it does; grant it to whom it is for by name, unless policies or views need it',
  },
  elsewhere: {
    level: 'warning',
    why: 'it opens connections from the machine of the database to others',
  },
  'large objects': {
    level: 'info',
    why: 'PostgreSQL lets everybody keep large objects, which can fill the disk; a superuser may take that away, as the SQL of doctor --sql --revoke-public does',
  },
}

/** Extensions that speak to other machines and let everybody call them. */
const REACHING_OUT = ['dblink', 'http', 'pg_net']

function callable({ config, layout }: Examined): Prisma.Sql {
  const own = Object.values(ownerFunctions(layout, config.database)).flatMap(
    (made: OwnerFunction | null) => made?.signature ?? [],
  )
  return Prisma.sql`
    WITH held AS (
      SELECT p.oid, acl.grantee, p.prosecdef AND p.prorettype NOT IN ('trigger'::regtype, 'event_trigger'::regtype)
          AND NOT EXISTS (SELECT FROM unnest(${own}::text[]) AS own (signature) WHERE to_regprocedure(signature) = p.oid) AS "definer",
        n.nspname = 'pg_catalog' AS "builtIn", p.proname = ANY(${LARGE_OBJECT_MAKERS}::text[]) AS "makesObjects",
        i.initprivs, e.extname,
        format('%I.%I(%s)', n.nspname, p.proname, pg_get_function_identity_arguments(p.oid)) AS "function"
      FROM pg_catalog.pg_proc AS p JOIN pg_catalog.pg_namespace AS n ON n.oid = p.pronamespace
      CROSS JOIN aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) AS acl
      LEFT JOIN pg_catalog.pg_init_privs AS i ON i.classoid = 'pg_catalog.pg_proc'::regclass AND i.objoid = p.oid
      LEFT JOIN pg_catalog.pg_depend AS d
        ON d.classid = 'pg_catalog.pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e'
      LEFT JOIN pg_catalog.pg_extension AS e ON e.oid = d.refobjid
      WHERE CASE WHEN acl.grantee = 0 THEN TRUE ELSE pg_has_role(acl.grantee, 'MEMBER') END
        AND NOT pg_has_role(p.proowner, 'MEMBER') AND has_schema_privilege(n.oid, 'USAGE')
    ), known AS (
      SELECT held.*, CASE
        WHEN "builtIn" AND "makesObjects" THEN 'large objects'
        WHEN "builtIn" AND initprivs IS NOT NULL
          AND NOT EXISTS (SELECT FROM aclexplode(initprivs) AS i WHERE i.grantee IN (0, held.grantee)) THEN 'withheld'
        WHEN extname = ANY(${REACHING_OUT}::text[]) THEN 'elsewhere'
        WHEN "definer" AND extname IS NULL THEN 'definer'
      END AS "kind"
      FROM held
    )
    SELECT "kind", CASE WHEN grantee <> 0 THEN pg_get_userbyid(grantee)::text END AS "to",
      array_agg("function" ORDER BY "function") AS "functions"
    FROM known WHERE "kind" IS NOT NULL GROUP BY "kind", grantee ORDER BY 1, grantee`
}
