import { createSchema } from './graph/schema.ts'
import { type GraphForm, printForm } from './graph/sdl/form.ts'
import { featuresOf } from './layout/features.ts'
import type { Layout } from './layout/layout.ts'

export type { GraphForm } from './graph/sdl/form.ts'
export { type OptionalPart, ownerScript as printOwnerSql } from './layout/owner-sql.ts'
export { printPermissions } from './permissions/permission-type.ts'

/**
 * The graph of the introspected database in GraphQL's schema language, sorted; with `cost`, also what LIMIT_COST counts, as
 * `@cost` and `@listSize` say it; with `prefix`, as FEDERATION_PREFIX has a subgraph served.
 */
export function printGraph(
  layout: Layout,
  form: GraphForm = 'plain',
  options: { readonly cost?: boolean | undefined; readonly prefix?: string | undefined } = {},
): string {
  return printForm(createSchema(featuresOf(layout)), form, options)
}
