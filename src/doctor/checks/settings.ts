import { settingStatements } from '../../layout/owner-sql.ts'
import { quote } from '../../layout/quote.ts'
import { Prisma } from '../../postgres/client.ts'
import { isUtc } from '../../postgres/session-options.ts'
import type { Check, Examined } from '../finding.ts'
import { script } from '../sql.ts'

/**
 * Whether what the role has set for itself is what the printed SQL sets, and nothing against it: whoever has the role may
 * change that. The gateway asks for settings of its own; these are for where a pooler does not pass them on.
 */
export const checkSettings: Check = async (examined) => {
  const { database, role } = examined
  const rows = await database.read<Setting>(SETTINGS)
  // What is set for this database comes later, and goes before what is set for all.
  const settings = new Map(rows.map((row) => [row.name.toLowerCase(), row]))
  const wrong = Object.entries(HARM).flatMap(([name, { isHarmful, why }]) => {
    const setting = settings.get(name)
    return setting && isHarmful(setting.value) ? [{ setting, why }] : []
  })
  return [
    ...(settings.has('default_transaction_read_only') ? [] : [writable(examined)]),
    ...wrong.map(({ setting, why }) => ({
      level: 'warning' as const,
      message: `The role "${role}" has ${setting.name} = ${setting.value} of its own${setting.database === null ? '' : ' in this database'}: ${why}.`,
      sql: mend(setting, examined),
    })),
  ]
}

interface Setting {
  readonly name: string
  readonly value: string
  /** `null`: whichever it connects to. */
  readonly database: string | null
}

const SETTINGS = Prisma.sql`
  SELECT split_part(config, '=', 1) AS "name", substr(config, strpos(config, '=') + 1) AS "value", d.datname::text AS "database"
  FROM pg_catalog.pg_db_role_setting AS s JOIN pg_catalog.pg_roles AS r ON r.oid = s.setrole AND r.rolname = current_user
  LEFT JOIN pg_catalog.pg_database AS d ON d.oid = s.setdatabase
  CROSS JOIN unnest(s.setconfig) AS config
  WHERE s.setdatabase = 0 OR d.datname = current_database()
  ORDER BY s.setdatabase <> 0`

interface Harm {
  readonly isHarmful: (value: string) => boolean
  readonly why: string
}

const isOff = (value: string) => !/^(on|t|y|1)/i.test(value)
const unlessAskedFor = 'wherever a pooler does not pass on what the gateway asks for'
const loading = { isHarmful: Boolean, why: 'each session loads that code, or does not begin' }

const HARM: Readonly<Record<string, Harm>> = {
  default_transaction_read_only: {
    isHarmful: isOff,
    why: 'its sessions are not read-only by themselves, only the gateway asks for that',
  },
  statement_timeout: {
    isHarmful: (value) => Number.parseFloat(value) === 0,
    why: `no statement is ever ended ${unlessAskedFor}`,
  },
  timezone: {
    isHarmful: (value) => !isUtc(value),
    why: `times are read wrongly ${unlessAskedFor}`,
  },
  datestyle: {
    isHarmful: (value) => !/^iso\b/i.test(value),
    why: `times are read wrongly ${unlessAskedFor}`,
  },
  search_path: {
    isHarmful: (value) => /,\s*"?pg_catalog"?\s*(,|$)/.test(value),
    why: 'what is made in a schema before pg_catalog stands in for functions of PostgreSQL',
  },
  row_security: { isHarmful: isOff, why: 'tables with policies cannot be read' },
  session_preload_libraries: loading,
  local_preload_libraries: loading,
}

function writable({ role, config }: Examined) {
  return {
    level: 'warning' as const,
    message: `Sessions of the role "${role}" are not read-only by themselves: only the gateway asks for that.`,
    sql: script(settingStatements({ role, ...config.database })),
  }
}

/** Printed settings are set again; others go, from where they count. */
function mend({ name, database }: Setting, { role, config }: Examined): string {
  const printed = settingStatements({ role, ...config.database }).filter((statement) =>
    statement.includes(` set ${name.toLowerCase()} =`),
  )
  const reset = (where: string) => `alter role ${quote(role)}${where} reset ${name}`
  if (database !== null) return script([reset(` in database ${quote(database)}`), ...printed])
  return script(printed.length > 0 ? printed : [reset('')])
}
