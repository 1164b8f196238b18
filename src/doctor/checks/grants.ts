import { quote } from '../../layout/quote.ts'
import { Prisma } from '../../postgres/client.ts'
import type { Check, Examined, Finding } from '../finding.ts'
import { grantedTo, grantee, script } from '../sql.ts'

/** What grants on tables let the role do that the gateway never does: change anything, or read what it does not read. */
export const checkGrants: Check = async (examined) => {
  const rows = await examined.database.read<Grant>(GRANTS)
  const byTarget = new Map<string, Grant[]>()
  for (const row of rows) {
    const key = JSON.stringify([row.schema, row.relation, row.grantee])
    byTarget.set(key, [...(byTarget.get(key) ?? []), row])
  }
  const findings = [...byTarget.values()].flatMap((grants) => [
    ...writes(grants, examined),
    ...reads(grants, examined),
  ])
  if (findings.length > 0) return findings
  const message = `No grant lets the role "${examined.role}" change a table, or read more than the gateway does.`
  return [{ level: 'info', message }]
}

/** One privilege on a table or, when `column` is given, on one of its columns. */
interface Grant {
  readonly schema: string
  readonly relation: string
  readonly columns: readonly string[]
  readonly column: string | null
  readonly privilege: string
  /** `null`: everybody. */
  readonly grantee: string | null
  /** That the table belongs to an extension. */
  readonly extension: boolean
}

/** Of the role, of whatever it is a member of, and of everybody. Owners are another check, and superusers too. */
const GRANTS = Prisma.sql`
  WITH held AS (
    SELECT c.oid, NULL::text AS "column", acl.* FROM pg_catalog.pg_class AS c, aclexplode(c.relacl) AS acl
    UNION ALL
    SELECT a.attrelid, a.attname::text, acl.* FROM pg_catalog.pg_attribute AS a, aclexplode(a.attacl) AS acl
    WHERE NOT a.attisdropped
  )
  SELECT n.nspname::text AS "schema", c.relname::text AS "relation", held."column", held.privilege_type AS "privilege",
    CASE WHEN held.grantee <> 0 THEN pg_get_userbyid(held.grantee)::text END AS "grantee",
    ARRAY(
      SELECT a.attname::text FROM pg_catalog.pg_attribute AS a
      WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum
    ) AS "columns",
    EXISTS (
      SELECT FROM pg_catalog.pg_depend AS d
      WHERE d.classid = 'pg_catalog.pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e'
    ) AS "extension"
  FROM held JOIN pg_catalog.pg_class AS c ON c.oid = held.oid
  JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
  WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND n.nspname !~ '^(pg_|information_schema$)'
    AND CASE WHEN held.grantee = 0 THEN TRUE ELSE pg_has_role(held.grantee, 'MEMBER') END
    AND NOT pg_has_role(c.relowner, 'MEMBER')
  ORDER BY 1, 2, held.grantee, 3, 4`

type Found = Omit<Finding, 'check'>

function writes(grants: readonly Grant[], { role }: Examined): readonly Found[] {
  const [first] = grants
  const privileges = [...new Set(grants.map(({ privilege }) => privilege))].filter(
    (privilege) => privilege !== 'SELECT',
  )
  if (!first || privileges.length === 0) return []
  const table = quote(first.schema, first.relation)
  return [
    {
      level: 'error',
      message: `${privileges.join(', ')} on ${table} is granted to ${grantedTo(first.grantee, role)}.`,
      // Taken from a table, a privilege is taken from its columns as well.
      sql: `revoke ${privileges.join(', ').toLowerCase()} on ${table} from ${grantee(first.grantee)};`,
    },
  ]
}

function reads(grants: readonly Grant[], { layout, config, role }: Examined): readonly Found[] {
  const selects = grants.filter(({ privilege }) => privilege === 'SELECT')
  const [first] = selects
  if (!first || first.extension) return []
  const ours = first.schema === config.database.schema
  const table = ours
    ? Object.values(layout).find((candidate) => candidate?.name === first.relation)
    : undefined
  const read = Object.values(table?.columns ?? {}).map(({ name }) => name)
  const whole = selects.some(({ column }) => column === null)
  const granted = whole ? first.columns : selects.flatMap(({ column }) => column ?? [])
  const excess = granted.filter((column) => !read.includes(column))
  if (excess.length === 0 && !whole) return []
  const on = quote(first.schema, first.relation)
  const from = grantee(first.grantee)
  const names = excess.map((column) => quote(column)).join(', ')
  const columns = read.map((column) => quote(column)).join(', ')
  const whom = grantedTo(first.grantee, role)
  return [
    {
      level: excess.length > 0 && ours ? 'error' : 'warning',
      message:
        excess.length > 0
          ? `SELECT on ${on} is granted to ${whom} for columns that the gateway does not read: ${names}.`
          : `SELECT on the whole of ${on} is granted to ${whom}, so also on columns that it gets later.`,
      sql: whole
        ? script([
            `revoke select on ${on} from ${from}`,
            ...(columns === '' ? [] : [`grant select (${columns}) on ${on} to ${quote(role)}`]),
          ])
        : `revoke select (${names}) on ${on} from ${from};`,
    },
  ]
}
