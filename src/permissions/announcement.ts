import { z } from 'zod'
import type { InvalidationTarget } from '../domain/invalidation.ts'

/** How long an epoch is kept that somebody else than a gateway sets: twice the longest TTL a gateway may have. */
export const EPOCH_SECONDS = 600

/** The Redis channel on which changes are announced, in JSON. */
export function announcementChannel(prefix: string): string {
  return `${prefix}invalidate`
}

export function encodeTarget(target: InvalidationTarget): string {
  return JSON.stringify(target)
}

/** Whoever may publish can send anything; what is not a target is `undefined`. */
export function decodeTarget(text: string): InvalidationTarget | undefined {
  if (text.length > LONGEST) return undefined
  try {
    return target.safeParse(JSON.parse(text)).data
  } catch {
    return undefined
  }
}

const LONGEST = 4096
const target = z
  .object({ organizationId: z.string().optional(), userId: z.string().optional() })
  .refine(({ organizationId, userId }) => organizationId !== undefined || userId !== undefined)
