import type { Permission } from '../domain/permission.ts'
import type { Resource, Subject } from './request.ts'

/** A question as permissions have it. */
export interface Question {
  readonly userId: string
  readonly organizationId: string
  readonly permission: Permission
}

/** The type that subjects have: nobody else may anything here. */
export const USER = 'user'

/** Of which organization a resource is; `null`: nothing says it. */
export type OrganizationOf = (resource: Resource) => string | null

/**
 * @param organizationTypes Types of resources whose ids are ids of organizations. Of others the id is not looked at: it
 * may be the same text as that of an organization that has nothing to do with it.
 */
export function organizationFinder(organizationTypes: readonly string[]): OrganizationOf {
  const types = new Set(organizationTypes)
  return ({ type, id, organizationId }) => organizationId ?? (types.has(type) ? id : null)
}

/** `null`: no permission has this name, so nobody has it. Of a type with a colon, another permission would have the same. */
export function permissionOf(type: string, action: string): Permission | null {
  return type.includes(':') ? null : `${type}:${action}`
}

/** `null`: nobody may that, whatever is in the database. */
export function questionOf(
  asked: { readonly subject: Subject; readonly action: string; readonly resource: Resource },
  organizationOf: OrganizationOf,
): Question | null {
  const { subject, action, resource } = asked
  const permission = permissionOf(resource.type, action)
  const organizationId = organizationOf(resource)
  if (subject.type !== USER || permission === null || organizationId === null) return null
  return { userId: subject.id, organizationId, permission }
}
