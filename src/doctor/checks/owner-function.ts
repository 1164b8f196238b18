import { functionStatements, type OwnerFunction } from '../../layout/owner-functions.ts'
import { Prisma } from '../../postgres/client.ts'
import type { Examined, Finding } from '../finding.ts'
import { script } from '../sql.ts'

/**
 * Whether a function of the owner's is there as this version makes it, for this role, and for nobody else; `null`: it is.
 * @param obstacle Why there is nothing for it to look at; `null`: there is.
 */
export async function faultOf(
  made: OwnerFunction | null,
  obstacle: string | null,
  { database, role }: Pick<Examined, 'database' | 'role'>,
  { variable, needing, asking, otherwise }: Words,
): Promise<Omit<Finding, 'check'> | null> {
  if (obstacle !== null || !made) return { level: 'error', message: obstacle ?? '' }
  const { name, signature, body } = made
  const sql = script(functionStatements(made, role))
  const [found] = await database.read<Found>(Prisma.sql`
    SELECT has_function_privilege(p.oid, 'EXECUTE') AS "callable", p.prosecdef AS "definer", p.prosrc = ${body} AS "same",
      ARRAY(
        SELECT DISTINCT CASE acl.grantee WHEN 0 THEN 'everybody (PUBLIC)' ELSE acl.grantee::regrole::text END
        FROM aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) AS acl
        WHERE acl.grantee <> p.proowner AND acl.grantee <> current_user::regrole
        ORDER BY 1) AS "others"
    FROM pg_catalog.pg_proc AS p WHERE p.oid = to_regprocedure(${signature})`)
  if (!found?.callable || !found.definer) {
    const effect = otherwise ?? `requests with ${needing} are answered with 503`
    const message = `${variable} is on, but the function ${name} ${whatIsWrong(found)}, so ${effect}.`
    return { level: otherwise ? 'warning' : 'error', message, sql }
  }
  if (!found.same)
    return {
      level: 'error',
      message: `${variable} is on, but the function ${name} is another than this version makes of these tables.`,
      sql,
    }
  if (found.others.length === 0) return null
  const message = `Others than the gateway may ask the function ${name} ${asking}: ${found.others.join(', ')}.`
  return { level: 'error', message, sql }
}

/** To say it in. */
interface Words {
  readonly variable: string
  /** The requests that cannot be answered without, such as `a session`. */
  readonly needing: string
  /** What it answers, such as `whose session a token is`. */
  readonly asking: string
  /** What comes of it where requests are answered all the same. */
  readonly otherwise?: string
}

interface Found {
  readonly callable: boolean
  readonly definer: boolean
  readonly same: boolean
  /** Who may call it beside its owner and this role. */
  readonly others: readonly string[]
}

function whatIsWrong(found: Found | undefined): string {
  if (!found) return 'is missing'
  return found.callable
    ? 'does not run with the rights of its owner'
    : 'is not granted to this role'
}
