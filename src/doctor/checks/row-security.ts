import type { Table } from '../../layout/layout.ts'
import { type OwnerFunction, ownerFunctions } from '../../layout/owner-functions.ts'
import { quote } from '../../layout/quote.ts'
import { Prisma } from '../../postgres/client.ts'
import { findRowSecurity } from '../../postgres/row-security.ts'
import type { Check, Examined, Finding } from '../finding.ts'

type Found = Omit<Finding, 'check'>

/** Whether row-level security shows the gateway only some rows. Where it shows none, the layout already does not fit. */
export const checkRowSecurity: Check = async (examined) => {
  const { config, database, layout, role } = examined
  const tables = Object.values(layout).flatMap((table) => table?.name ?? [])
  const made = ownerFunctions(layout, config.database)
  const { sessions, apiKeys, opaqueTokens } = config.auth
  const found = await findRowSecurity(database, config.database.schema, tables)
  return [
    ...found.map(
      ({ table }): Found => ({
        level: 'warning',
        message: `Policies show the role "${role}" only some rows of the table "${table}": the others do not exist to whoever asks the gateway.`,
      }),
    ),
    ...(sessions ? await behind(examined, layout.Session, made.sessions, 'sessions') : []),
    ...(apiKeys ? await behind(examined, layout.Apikey, made.apiKeys, 'API keys') : []),
    ...(opaqueTokens
      ? await behind(examined, layout.OauthAccessToken, made.opaqueTokens, 'access tokens')
      : []),
  ]
}

/** A function that looks something up reads as its owner, who sees all of their own tables unless that is forced. */
async function behind(
  { config, database }: Examined,
  of: Table | null,
  made: OwnerFunction | null,
  what: string,
): Promise<readonly Found[]> {
  const { schema } = config.database
  if (!of || !made) return []
  const table = quote(schema, of.name)
  const [row] = await database.read<{ readonly owner: string }>(Prisma.sql`
    SELECT r.rolname::text AS "owner" FROM pg_catalog.pg_proc AS p
    JOIN pg_catalog.pg_roles AS r ON r.oid = p.proowner
    JOIN pg_catalog.pg_class AS c ON c.oid = to_regclass(${table})
    WHERE p.oid = to_regprocedure(${made.signature})
      AND c.relrowsecurity AND (c.relforcerowsecurity OR NOT pg_has_role(r.oid, c.relowner, 'USAGE'))
      AND NOT r.rolsuper AND NOT r.rolbypassrls
      AND NOT EXISTS (
        SELECT FROM pg_catalog.pg_policy AS policy
        WHERE policy.polrelid = c.oid AND policy.polpermissive AND policy.polcmd IN ('r', '*')
          AND pg_get_expr(policy.polqual, c.oid) = 'true'
          AND EXISTS (SELECT FROM unnest(policy.polroles) AS r(oid) WHERE r.oid IN (0, p.proowner)))`)
  if (!row) return []
  return [
    {
      level: 'error',
      message: `Row-level security hides ${what} from the role "${row.owner}", which the function that looks them up runs as, so none is accepted. Let a role that sees them own the function, or let this one see them.`,
      sql: `create policy ${quote('identity_gateway reads')} on ${table} for select to ${quote(row.owner)} using (true);`,
    },
  ]
}
