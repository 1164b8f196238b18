import { z } from 'zod'
import type { Notice } from '../domain/changes.ts'

/** The channel on which the triggers for subscriptions tell what has changed. */
export const CHANGES_CHANNEL = 'identity_gateway_changes'

/** Of a statement that changes more, no ids are told. */
export const MOST_IDS = 1000
/** Ids in one notification: of 36 characters, with quotes and a comma, they have half of these bytes. */
export const IDS_AT_ONCE = 100

/**
 * What has changed, `all`: more than is told one by one. Anybody with an account in the database can notify as well: what
 * says nothing is `null`.
 */
export function decodeChanges(payload: string): Notice | 'all' | null {
  const { all, ...notice } = notification.safeParse(payload).data ?? {}
  if (all) return 'all'
  return Object.keys(notice).length > 0 ? notice : null
}

/** What a notification says, where it is JSON. */
export const json = z.string().transform((text, context): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    context.addIssue('is no JSON')
    return z.NEVER
  }
})
const ids = z.array(z.string()).min(1).exactOptional()
const notification = json.pipe(
  z.object({
    all: z.literal(true).exactOptional(),
    users: ids,
    sessions: ids,
    organizations: ids,
    everyoneIn: ids,
  }),
)
