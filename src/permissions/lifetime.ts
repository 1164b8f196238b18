import type { CachedGrant } from './cache.ts'

/** In seconds. An answer that denies everything is short-lived: joining must not seem broken. */
export const NEGATIVE_SECONDS = 30

/** Whether it is about somebody who is no member, or whose account is not active: anybody can ask for any number. */
export function isStranger(grant: CachedGrant): boolean {
  return !grant.member || !grant.active
}

/** How long a grant may be used. */
export function lifetimeSeconds(grant: CachedGrant, ttlSeconds: number): number {
  return isStranger(grant) ? Math.min(ttlSeconds, NEGATIVE_SECONDS) : ttlSeconds
}

/** False also for a grant from the future: its clock cannot be trusted to bound its age. */
export function isYoung(grant: CachedGrant, ttlSeconds: number): boolean {
  const ageMs = Math.abs(Date.now() - grant.resolvedAt.getTime())
  return ageMs <= lifetimeSeconds(grant, ttlSeconds) * 1000
}
