import { roleStatements, settingStatements } from '../../layout/owner-sql.ts'
import { quote } from '../../layout/quote.ts'
import { Prisma } from '../../postgres/client.ts'
import type { Check, Examined, Finding } from '../finding.ts'
import { script } from '../sql.ts'

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
    ...(rights.readOnly ? [] : [writable(examined)]),
  ]
}

interface Rights {
  readonly superuser: boolean
  readonly bypassRls: boolean
  readonly createRole: boolean
  readonly createDb: boolean
  readonly replication: boolean
  readonly owned: readonly string[]
  readonly memberships: readonly string[]
  readonly readOnly: boolean
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
      SELECT g.rolname::text FROM pg_catalog.pg_auth_members AS m JOIN pg_catalog.pg_roles AS g ON g.oid = m.roleid
      WHERE m.member = r.oid ORDER BY 1
    ) AS "memberships",
    EXISTS (
      SELECT FROM pg_catalog.pg_db_role_setting AS s WHERE s.setrole = r.oid
        AND s.setdatabase IN (0, (SELECT oid FROM pg_catalog.pg_database WHERE datname = current_database()))
        AND 'default_transaction_read_only=on' = ANY(s.setconfig)
    ) AS "readOnly"
  FROM pg_catalog.pg_roles AS r WHERE r.rolname = current_user`

function attributes(rights: Rights, role: string): readonly Omit<Finding, 'check'>[] {
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

function owned(tables: readonly string[], examined: Examined): readonly Omit<Finding, 'check'>[] {
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
function membership(group: string, role: string): Omit<Finding, 'check'> {
  return {
    level: group.startsWith('pg_') ? 'error' : 'warning',
    message: `The role "${role}" is a member of "${group}", and may do what that role may do, also after it is given more.`,
    sql: `revoke ${quote(group)} from ${quote(role)};`,
  }
}

function writable({ role, config }: Examined): Omit<Finding, 'check'> {
  return {
    level: 'warning',
    message: `Sessions of the role "${role}" are not read-only by themselves: only the gateway asks for that.`,
    sql: script(settingStatements({ role, ...config.database })),
  }
}

function ownRole({ layout, config }: Examined): string {
  return script(roleStatements(layout, { role: 'identity_gateway', ...config.database }))
}
