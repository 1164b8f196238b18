import { z } from 'zod'
import type { InvalidationTarget } from '../domain/invalidation.ts'

/**
 * What the triggers sent. Anybody with an account in the database can notify as well: what says nothing changes
 * nothing.
 */
export function decodeNotification(payload: string): readonly InvalidationTarget[] | 'all' {
  const { all, users = [], organizations = [] } = notification.safeParse(payload).data ?? {}
  if (all) return 'all'
  return [
    ...users.map((userId) => ({ userId })),
    ...organizations.map((organizationId) => ({ organizationId })),
  ]
}

const json = z.string().transform((text, context): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    context.addIssue('is no JSON')
    return z.NEVER
  }
})
const ids = z.array(z.string()).optional()
const notification = json.pipe(
  z.object({ all: z.literal(true).optional(), users: ids, organizations: ids }),
)
