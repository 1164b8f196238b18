import { z } from 'zod'
import type { InvalidationTarget } from '../domain/invalidation.ts'

/** How long an epoch is kept that somebody else than a gateway sets: twice the longest TTL a gateway may have. */
export const EPOCH_SECONDS = 600

/** The Redis channel on which changes are announced, in JSON. */
export function announcementChannel(prefix: string): string {
  return `${prefix}invalidate`
}

/** What a publisher tells: whose permissions to forget, and what else has changed. */
export interface Announcement extends InvalidationTarget {
  /** The organization of which the user is or was a member, of whose others nothing has changed. */
  readonly within?: string | undefined
  /** Whose account has changed, and no permissions. */
  readonly account?: string | undefined
  /** Whose sessions have changed. */
  readonly sessionsOf?: string | undefined
  /** More has changed than is told. */
  readonly again?: true | undefined
}

export function encodeAnnouncement(announcement: Announcement): string {
  return JSON.stringify(announcement)
}

/** Whoever may publish can send anything; what is no announcement is `undefined`. */
export function decodeAnnouncement(text: string): Announcement | undefined {
  if (text.length > LONGEST) return undefined
  try {
    return announcement.safeParse(JSON.parse(text)).data
  } catch {
    return undefined
  }
}

const LONGEST = 4096
const id = z.string().optional()
const announcement = z
  .object({
    organizationId: id,
    userId: id,
    within: id,
    account: id,
    sessionsOf: id,
    again: z.literal(true).optional(),
  })
  .refine((said) => Object.values(said).some((value) => value !== undefined))
