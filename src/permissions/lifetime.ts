import type { CachedGrant } from './cache.ts'

const NEGATIVE_SECONDS = 30

/** How long a grant may be used. An answer that denies everything is short-lived: joining must not seem broken. */
export function lifetimeSeconds(grant: CachedGrant, ttlSeconds: number): number {
  return grant.member && grant.active ? ttlSeconds : Math.min(ttlSeconds, NEGATIVE_SECONDS)
}

/** False also for a grant from the future: its clock cannot be trusted to bound its age. */
export function isYoung(grant: CachedGrant, ttlSeconds: number): boolean {
  const ageMs = Math.abs(Date.now() - grant.resolvedAt.getTime())
  return ageMs <= lifetimeSeconds(grant, ttlSeconds) * 1000
}
