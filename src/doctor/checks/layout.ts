import type { Layout } from '../../layout/layout.ts'
import { grantStatements, settingStatements } from '../../layout/owner-sql.ts'
import { type Drift, describeDrift, findDrift } from '../../postgres/drift.ts'
import type { Check, Examined } from '../finding.ts'
import { script } from '../sql.ts'

/** Whether tables, columns and what may be read of them are as the schema file says, and which plug-ins it knows. */
export const checkLayout: Check = async (examined) => {
  const { database, layout, config } = examined
  const drift = await findDrift(database, layout, config.database)
  const count = Object.values(layout).filter((table) => table !== null).length
  return [
    ...drift.map((each) => toFinding(each, examined)),
    ...(drift.length === 0
      ? [{ level: 'info', message: `The ${count} tables are as the schema file says.` } as const]
      : []),
    { level: 'info', message: `Plug-ins found: ${pluginsOf(layout).join(', ') || 'none'}.` },
  ]
}

function toFinding(drift: Drift, { layout, config, role }: Examined) {
  const sentence = describeDrift([drift]) ?? ''
  const grantee = { role, ...config.database }
  const mends = {
    structure: [],
    zone: [],
    grant: grantStatements(layout, grantee),
    session: settingStatements(grantee),
  }[drift.kind]
  return {
    level: 'error',
    message: sentence.charAt(0).toUpperCase() + sentence.slice(1),
    ...(mends.length === 0 ? {} : { sql: script(mends) }),
  } as const
}

function pluginsOf(layout: Layout) {
  const { Organization, Team, OrganizationRole, Jwks, User } = layout
  const user = User?.columns ?? {}
  const found: readonly (readonly [string, unknown])[] = [
    ['organization', Organization],
    ['teams', Team],
    ['dynamic access control', OrganizationRole],
    ['jwt', Jwks],
    ['admin', user.banned],
    ['username', user.username],
    ['phone number', user.phoneNumber],
    ['two factor', user.twoFactorEnabled],
    ['anonymous', user.isAnonymous],
    ['last login method', user.lastLoginMethod],
    ['oauth provider', layout.OauthClient],
    ['api key', layout.Apikey],
    ['passkey', layout.Passkey],
    ['sso', layout.SsoProvider],
    ['scim', layout.ScimUser],
    ['stripe', layout.Subscription],
  ]
  return found.flatMap(([name, sign]) => (sign ? [name] : []))
}
