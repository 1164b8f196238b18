import type { Tables } from '../tables.ts'

/**
 * Whether the id of an owner may be a user's and an organization's as well: plug-ins keep both in one column, which is no
 * trouble where ids are drawn by lot, but the fifth user is not the fifth organization.
 */
export function areOwnersAmbiguous(tables: Tables): boolean {
  const models = ['User', 'Organization'] as const
  const isNumbered = (model: (typeof models)[number]) =>
    tables.as(model, 'o').real('id').type === 'integer'
  return tables.has('Organization') && models.some(isNumbered)
}
