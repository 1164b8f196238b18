import { sessionFunctionName, sessionStatements } from '../../layout/owner-sql.ts'
import { findSessionObstacle } from '../../layout/sessions.ts'
import { Prisma } from '../../postgres/client.ts'
import type { Check } from '../finding.ts'
import { script } from '../sql.ts'

/** Whether the function that finds a session's user is there for this role, and for nobody else. */
export const checkSessions: Check = async ({ config, database, layout, role }) => {
  if (config.auth.sessions === null) return []
  const grantee = { role, ...config.database }
  const obstacle = findSessionObstacle(layout)
  if (obstacle !== null) return [{ level: 'error', message: obstacle }]
  const name = sessionFunctionName(layout, grantee)
  const sql = script(sessionStatements(layout, grantee))
  const [found] = await database.read<Found>(Prisma.sql`
    SELECT has_function_privilege(p.oid, 'EXECUTE') AS "callable", p.prosecdef AS "definer",
      ARRAY(
        SELECT DISTINCT CASE acl.grantee WHEN 0 THEN 'everybody (PUBLIC)' ELSE acl.grantee::regrole::text END
        FROM aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) AS acl
        WHERE acl.grantee <> p.proowner AND acl.grantee <> current_user::regrole
        ORDER BY 1) AS "others"
    FROM pg_catalog.pg_proc AS p WHERE p.oid = to_regprocedure(${`${name}(text)`})`)
  if (!found?.callable || !found.definer)
    return [
      {
        level: 'error',
        message: `AUTH_SESSIONS is on, but the function ${name} ${fault(found)}, so requests with a session are answered with 503.`,
        sql,
      },
    ]
  if (found.others.length > 0)
    return [
      {
        level: 'error',
        message: `Others than the gateway may ask the function ${name} whose session a token is: ${found.others.join(', ')}.`,
        sql,
      },
    ]
  const unknown = layout.Session?.authoritative === undefined
  return [{ level: 'info', message: `Sessions can be looked up.${unknown ? UNKNOWN : ''}` }]
}

const UNKNOWN =
  ' That no row outlives its session, as with secondaryStorage and session.preserveSessionInDatabase of Better Auth, is known once introspect --auth has asked it.'

interface Found {
  readonly callable: boolean
  readonly definer: boolean
  /** Who may call it beside its owner and this role. */
  readonly others: readonly string[]
}

function fault(found: Found | undefined): string {
  if (!found) return 'is missing'
  return found.callable
    ? 'does not run with the rights of its owner'
    : 'is not granted to this role'
}
