import { z } from 'zod'
import type { CachedGrant, Epochs } from './cache.ts'

export interface StoredGrant {
  readonly version: string
  readonly epochs: Epochs
  readonly grant: CachedGrant
}

const stored = z
  .strictObject({
    version: z.string(),
    resolvedAt: z.int().min(0).max(8.64e15),
    organizationEpoch: z.string(),
    userEpoch: z.string(),
    active: z.boolean(),
    member: z.boolean(),
    roles: z.array(z.string()),
    permissions: z.array(z.string()),
  })
  .refine((value) => value.member || value.roles.length === 0)
  .refine((value) => (value.member && value.active) || value.permissions.length === 0)

export function encodeGrant({ version, epochs, grant }: StoredGrant): string {
  return JSON.stringify({
    version,
    resolvedAt: grant.resolvedAt.getTime(),
    organizationEpoch: epochs.organization,
    userEpoch: epochs.user,
    active: grant.active,
    member: grant.member,
    roles: grant.roles,
    permissions: grant.permissions,
  })
}

/** Absent when the text is anything but what `encodeGrant` makes. */
export function decodeGrant(text: string): StoredGrant | undefined {
  const parsed = stored.safeParse(parseJson(text))
  if (!parsed.success) return undefined
  const { version, resolvedAt, organizationEpoch, userEpoch, ...grant } = parsed.data
  return {
    version,
    epochs: { organization: organizationEpoch, user: userEpoch },
    grant: { ...grant, resolvedAt: new Date(resolvedAt) },
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
