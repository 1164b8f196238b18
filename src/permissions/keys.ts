import type { InvalidationTarget } from '../domain/invalidation.ts'
import type { Subject } from '../domain/permission.ts'

/** In characters, encoded. Better Auth's ids have 32 to 36. */
const LONGEST = 512

export interface CacheKeys {
  readonly grant: string
  readonly organizationEpoch: string
  readonly userEpoch: string
}

/**
 * Different subjects have different keys. The braces are Redis Cluster's hash tag: the grants of an organization and
 * its epoch share a slot. Absent when an id cannot be part of a key.
 */
export function cacheKeys(prefix: string, subject: Subject): CacheKeys | undefined {
  const organization = encodePart(subject.organizationId)
  const user = encodePart(subject.userId)
  if (organization === undefined || user === undefined) return undefined
  return {
    grant: `${prefix}permissions:{${organization}}:${user}`,
    organizationEpoch: organizationEpochKey(prefix, organization),
    userEpoch: userEpochKey(prefix, user),
  }
}

/** The epochs to replace. An id that cannot be part of a key has nothing cached. */
export function epochKeys(prefix: string, target: InvalidationTarget): readonly string[] {
  const organization = encodePart(target.organizationId ?? '')
  const user = encodePart(target.userId ?? '')
  return [
    ...(organization === undefined ? [] : [organizationEpochKey(prefix, organization)]),
    ...(user === undefined ? [] : [userEpochKey(prefix, user)]),
  ]
}

function organizationEpochKey(prefix: string, organization: string): string {
  return `${prefix}organization-epoch:{${organization}}`
}

function userEpochKey(prefix: string, user: string): string {
  return `${prefix}user-epoch:{${user}}`
}

/** Percent-encoding leaves no colon, brace or percent sign of the id's own; a lone surrogate has no encoding. */
function encodePart(id: string): string | undefined {
  if (id === '' || id.length > LONGEST || /\p{Surrogate}/u.test(id)) return undefined
  const encoded = encodeURIComponent(id)
  return encoded.length > LONGEST ? undefined : encoded
}
