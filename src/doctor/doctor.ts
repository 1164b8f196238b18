import { type Config, ConfigError, loadConfig } from '../config/config.ts'
import { readLayout } from '../config/layout.ts'
import { findWarnings } from '../config/warnings.ts'
import type { Layout } from '../layout/layout.ts'
import { ownerScript } from '../layout/owner-sql.ts'
import { openDatabase, Prisma } from '../postgres/client.ts'
import { Tables } from '../postgres/tables.ts'
import { describeUnreachable } from '../postgres/unreachable.ts'
import { checkAccessControl } from './checks/access-control.ts'
import { checkApiKeys } from './checks/api-keys.ts'
import { checkClock } from './checks/clock.ts'
import { checkCreation } from './checks/creation.ts'
import { checkFunctions } from './checks/functions.ts'
import { checkGrants } from './checks/grants.ts'
import { checkIndexes } from './checks/indexes.ts'
import { checkKeys } from './checks/keys.ts'
import { checkLayout } from './checks/layout.ts'
import { checkOauth, checkOpaqueTokens } from './checks/oauth.ts'
import { checkPooler } from './checks/pooler.ts'
import { checkRedis } from './checks/redis.ts'
import { checkRole } from './checks/role.ts'
import { checkRowSecurity } from './checks/row-security.ts'
import { checkSessions } from './checks/sessions.ts'
import { checkSubscriptions } from './checks/subscriptions.ts'
import { checkTimestamps } from './checks/timestamps.ts'
import { checkTriggers } from './checks/triggers.ts'
import { checkUniqueness } from './checks/uniqueness.ts'
import type { Check, Examined, Finding } from './finding.ts'

export interface Report {
  /** That no finding is an error. */
  readonly healthy: boolean
  readonly findings: readonly Finding[]
  /** What makes a role that may do no more than the gateway needs; `null` without a configuration that can be read. */
  readonly roleSql: string | null
}

/** In the order of the report. */
const checks: Readonly<Record<string, Check>> = {
  layout: checkLayout,
  role: checkRole,
  creation: checkCreation,
  functions: checkFunctions,
  pooler: checkPooler,
  clock: checkClock,
}

/** These read tables by their layout, and would only repeat that it does not fit. */
const checksByLayout: Readonly<Record<string, Check>> = {
  grants: checkGrants,
  'row-security': checkRowSecurity,
  indexes: checkIndexes,
  uniqueness: checkUniqueness,
  keys: checkKeys,
  timestamps: checkTimestamps,
  sessions: checkSessions,
  oauth: checkOauth,
  'opaque-tokens': checkOpaqueTokens,
  'api-keys': checkApiKeys,
  triggers: checkTriggers,
  subscriptions: checkSubscriptions,
  'access-control': checkAccessControl,
}

/** Looks at everything that a gateway with this environment would use, as the gateway would, and changes nothing. */
export async function examine(
  environment: Readonly<Record<string, string | undefined>>,
): Promise<Report> {
  const warnings = configurationFindings('warning', findWarnings(environment))
  try {
    const config = loadConfig(environment)
    const layout = readLayout(config.database)
    const findings = [
      ...warnings,
      ...(await examineDatabase(config, layout)),
      ...(await run('redis', () => checkRedis(config), THAT_FAILED)),
    ]
    const grantee = { role: 'identity_gateway', ...config.database }
    return toReport(findings, ownerScript(layout, grantee))
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    const problems = configurationFindings('error', error.message.split('\n'))
    return toReport([...problems, ...warnings], null)
  }
}

function configurationFindings(
  level: Finding['level'],
  messages: readonly string[],
): readonly Finding[] {
  return messages.map((message) => ({ check: 'configuration', level, message }))
}

function toReport(findings: readonly Finding[], roleSql: string | null): Report {
  return { healthy: findings.every(({ level }) => level !== 'error'), findings, roleSql }
}

async function examineDatabase(config: Config, layout: Layout): Promise<readonly Finding[]> {
  const database = openDatabase({ ...config.database, layout, poolSize: 1 })
  try {
    const role = await roleOf(database).catch((error: unknown): Finding => {
      const message = describeUnreachable(error, config.database.url)
      return { check: 'database', level: 'error', message }
    })
    if (typeof role !== 'string') return [role]
    const tables = new Tables(layout, config.database.schema, config.database.timestampZone)
    const examined = { config, layout, tables, database, role }
    const findings = await runAll(checks, examined)
    const fits = !findings.some(({ check, level }) => check === 'layout' && level === 'error')
    return [...findings, ...(fits ? await runAll(checksByLayout, examined) : [LATER])]
  } finally {
    await database.close()
  }
}

async function roleOf(database: Pick<Examined['database'], 'read'>): Promise<string> {
  const [row] = await database.read<{ readonly role: string }>(
    Prisma.sql`SELECT current_user::text AS "role"`,
  )
  return row?.role ?? ''
}

const LATER: Finding = {
  check: 'layout',
  level: 'info',
  message: 'Grants, indexes, keys and roles are looked at once this fits.',
}

async function runAll(
  these: Readonly<Record<string, Check>>,
  examined: Examined,
): Promise<readonly Finding[]> {
  const findings: Finding[] = []
  for (const [name, check] of Object.entries(these))
    findings.push(...(await run(name, () => check(examined), POSTGRES_FAILED)))
  return findings
}

/** A check that fails is an error too: what it looks for may be there. */
async function run(
  name: string,
  check: () => ReturnType<Check>,
  failed: string,
): Promise<readonly Finding[]> {
  try {
    return named(name, await check())
  } catch {
    return named(name, [{ level: 'error', message: failed }])
  }
}

const THAT_FAILED = 'This could not be checked: correct what else is found, and look again.'
const POSTGRES_FAILED =
  'This could not be checked: PostgreSQL refused to answer, or took longer than DATABASE_STATEMENT_TIMEOUT_MS.'

function named(check: string, findings: readonly Omit<Finding, 'check'>[]): readonly Finding[] {
  return findings.map((finding) => ({ check, ...finding }))
}
