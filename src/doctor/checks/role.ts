import { roleStatements } from '../../layout/owner-sql.ts'
import { quote } from '../../layout/quote.ts'
import { Prisma } from '../../postgres/client.ts'
import type { Check, Examined, Finding } from '../finding.ts'
import { script } from '../sql.ts'
import { checkSettings } from './settings.ts'

type Found = Omit<Finding, 'check'>

/** What the role is allowed by what it is, rather than by grants. */
export const checkRole: Check = async (examined) => {
  const { database, role } = examined
  const [rights] = await database.read<Rights>(RIGHTS)
  if (!rights) throw new Error('The catalog does not list the role.')
  if (rights.superuser)
    return [
      {
        level: 'error',
        message: `The role "${role}" is a superuser and may do everything: let the gateway connect as a role of its own.`,
        sql: ownRole(examined),
      },
    ]
  return [
    ...attributes(rights, role),
    ...owned(rights.owned, examined),
    ...rights.memberships.map((group) => membership(group, role)),
    ...connections(rights, examined),
    ...(await checkSettings(examined)),
  ]
}

interface Rights {
  readonly superuser: boolean
  readonly bypassRls: boolean
  readonly createRole: boolean
  readonly createDb: boolean
  readonly replication: boolean
  readonly owned: readonly string[]
  readonly memberships: readonly Membership[]
  /** -1: none. */
  readonly connectionLimit: number
  readonly validUntil: Date | null
}

interface Membership {
  readonly group: string
  /** That it, or a role that it is a member of, may do more than grants allow. */
  readonly mighty: boolean
}

const RIGHTS = Prisma.sql`
  SELECT r.rolsuper AS "superuser", r.rolbypassrls AS "bypassRls", r.rolcreaterole AS "createRole",
    r.rolcreatedb AS "createDb", r.rolreplication AS "replication",
    ARRAY(
      SELECT format('%I.%I', n.nspname, c.relname) FROM pg_catalog.pg_class AS c
      JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
      WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND n.nspname !~ '^(pg_|information_schema$)'
        AND pg_has_role(r.oid, c.relowner, 'MEMBER') ORDER BY 1
    ) AS "owned",
    ARRAY(
      SELECT json_build_object('group', g.rolname, 'mighty', EXISTS (
        SELECT FROM pg_catalog.pg_roles AS a WHERE pg_has_role(g.oid, a.oid, 'MEMBER') AND (a.rolname ~ '^pg_'
          OR a.rolsuper OR a.rolbypassrls OR a.rolcreaterole OR a.rolcreatedb OR a.rolreplication)))
      FROM pg_catalog.pg_auth_members AS m JOIN pg_catalog.pg_roles AS g ON g.oid = m.roleid
      WHERE m.member = r.oid ORDER BY g.rolname
    ) AS "memberships",
    r.rolconnlimit AS "connectionLimit", CASE WHEN isfinite(r.rolvaliduntil) THEN r.rolvaliduntil END AS "validUntil"
  FROM pg_catalog.pg_roles AS r WHERE r.rolname = current_user`

function attributes(rights: Rights, role: string): readonly Found[] {
  const named = [
    ['bypassrls', rights.bypassRls, 'may pass by row-level security'],
    ['createrole', rights.createRole, 'may create roles'],
    ['createdb', rights.createDb, 'may create databases'],
    ['replication', rights.replication, 'may copy the whole server by replication'],
  ] as const
  return named.flatMap(([attribute, held, what]) =>
    held
      ? [
          {
            level: 'error' as const,
            message: `The role "${role}" ${what}.`,
            sql: `alter role ${quote(role)} no${attribute};`,
          },
        ]
      : [],
  )
}

function owned(tables: readonly string[], examined: Examined): readonly Found[] {
  if (tables.length === 0) return []
  return [
    {
      level: 'error',
      message: `The role "${examined.role}" owns ${tables.join(', ')}, so it may read and change everything there: let the gateway connect as a role of its own.`,
      sql: ownRole(examined),
    },
  ]
}

/** Roles that PostgreSQL comes with are named `pg_…`, and each of them may do what the gateway never does. */
function membership({ group, mighty }: Membership, role: string): Found {
  return {
    level: mighty ? 'error' : 'warning',
    message: `The role "${role}" is a member of "${group}", and may do what that role may do, also after it is given more.`,
    sql: `revoke ${quote(group)} from ${quote(role)};`,
  }
}

function connections(rights: Rights, { role, config }: Examined): readonly Found[] {
  const { poolSize } = config.database
  const few = rights.connectionLimit >= 0 && rights.connectionLimit < poolSize
  return [
    ...(few
      ? [
          {
            level: 'warning' as const,
            message: `The role "${role}" may have ${rights.connectionLimit} connections, and one gateway alone opens up to ${poolSize} (DATABASE_POOL_SIZE).`,
            sql: `alter role ${quote(role)} connection limit ${poolSize};`,
          },
        ]
      : []),
    ...(rights.validUntil
      ? [
          {
            level: 'info' as const,
            message: `The password of the role "${role}" is accepted until ${rights.validUntil.toISOString()}.`,
          },
        ]
      : []),
  ]
}

function ownRole({ layout, config }: Examined): string {
  return script(roleStatements(layout, { role: 'identity_gateway', ...config.database }))
}
