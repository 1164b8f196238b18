import { createSchema } from './graph/schema.ts'
import { type GraphForm, printForm } from './graph/sdl/form.ts'
import { featuresOf } from './layout/features.ts'
import type { Layout } from './layout/layout.ts'
import { type Grantee, ownerScript } from './layout/owner-sql.ts'
import { parseRoleDefinitions } from './permissions/definitions.ts'
import { printPermissionType } from './permissions/permission-type.ts'

export type { GraphForm } from './graph/sdl/form.ts'

/** The graph of the introspected database in GraphQL's schema language, sorted. */
export function printGraph(layout: Layout, form: GraphForm = 'plain'): string {
  return printForm(createSchema(featuresOf(layout)), form)
}

/**
 * TypeScript that declares the permissions of an access control file.
 * @throws Error when it does not say what roles may do.
 */
export function printPermissions(accessControl: unknown): string {
  return printPermissionType(parseRoleDefinitions(accessControl))
}

/** The SQL with which a database's owner lets the gateway's role read what it reads, for the introspected database. */
export function printOwnerSql(layout: Layout, grantee: Grantee): string {
  return ownerScript(layout, grantee)
}
