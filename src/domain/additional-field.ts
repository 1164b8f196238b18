/** Entities that may carry fields of the application's own: Better Auth's `additionalFields`. */
export const extensibleModels = ['User', 'Organization', 'Member'] as const
export type ExtensibleModel = (typeof extensibleModels)[number]

/** What a field shows as in the graph. Lists never hold null. */
export const additionalTypes = [
  'String',
  'Int',
  'Float',
  'Boolean',
  'DateTime',
  'JSON',
  '[String]',
  '[Int]',
  '[Float]',
] as const
export type AdditionalType = (typeof additionalTypes)[number]

/**
 * Who may see a field. Of a user: themselves, whoever shares an organization with them, platform admins, and services by
 * their scope. Of an organization or a member: `member` is every user who reaches them, all of them members there.
 */
export const audiencesOf = {
  User: ['self', 'co-member', 'platform admin', 'identity:read', 'identity:pii'],
  Organization: ['member', 'identity:read', 'identity:pii'],
  Member: ['member', 'identity:read', 'identity:pii'],
} as const satisfies Record<ExtensibleModel, readonly AdditionalAudience[]>
export const audiences = [
  'self',
  'co-member',
  'platform admin',
  'member',
  'identity:read',
  'identity:pii',
] as const
export type AdditionalAudience = (typeof audiences)[number]

/** A field that Better Auth does not know of itself: null where the row has none, or none of its type. */
export interface AdditionalField {
  readonly name: string
  readonly type: AdditionalType
  readonly visibleTo: readonly AdditionalAudience[]
  readonly description: string
}

/** The values of an entity's additional fields, by name. */
export type AdditionalValues = Readonly<Record<string, unknown>>
