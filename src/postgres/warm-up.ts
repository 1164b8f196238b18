import type { Features } from '../domain/features.ts'
import type { Repositories } from '../domain/repositories.ts'
import type { SigningKeyRepository } from '../domain/signing-key.ts'

interface Warmed extends Repositories {
  readonly signingKeys: SigningKeyRepository
}

const page = { size: 1, from: 'start' } as const

/**
 * Sends the statements of usual requests once, about nobody: the first of each takes a quarter of a second, which no
 * request should wait for. What fails here fails in requests as well, and is told there.
 */
export async function warmUp(
  { users, organizations, members, visibility, signingKeys }: Warmed,
  features: Pick<Features, 'organizations'>,
): Promise<void> {
  const order = { field: 'CREATED_AT', direction: 'ASC' } as const
  await Promise.allSettled([
    users.findByIds([]),
    users.findByEmails([]),
    visibility.look([]),
    signingKeys.findAll(),
    ...(features.organizations
      ? [
          organizations.findByIds([]),
          members.listByUserIds([], page, { scope: 'all' }),
          members.listByOrganizationIds([], page, {}, order),
        ]
      : []),
  ])
}
