import type { Layout } from '../../src/layout/layout.ts'
import { type Grantee, grantStatements, settingStatements } from '../../src/layout/owner-sql.ts'

/**
 * What a role may read, without the role's own settings: files that run at one moment share the role of the cast, which has
 * its settings already, and PostgreSQL refuses to alter a role twice at once.
 */
export function grantsOf(layout: Layout, grantee: Grantee): string[] {
  const settings = settingStatements(grantee)
  return grantStatements(layout, grantee).filter((statement) => !settings.includes(statement))
}
