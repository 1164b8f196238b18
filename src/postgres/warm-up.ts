import type { MemberRepository } from '../domain/member.ts'
import type { OrganizationRepository } from '../domain/organization.ts'
import type { SigningKeyRepository } from '../domain/signing-key.ts'
import type { UserRepository } from '../domain/user.ts'
import type { VisibilityRepository } from '../domain/visibility.ts'

export interface Warmed {
  readonly users: UserRepository
  readonly organizations: OrganizationRepository
  readonly members: MemberRepository
  readonly visibility: VisibilityRepository
  readonly signingKeys: SigningKeyRepository
}

const page = { size: 1, from: 'start' } as const

/**
 * Sends the statements of usual requests once, about nobody: the first of each takes a quarter of a second, which no
 * request should wait for. What fails here fails in requests as well, and is told there.
 */
export async function warmUp(repositories: Warmed, organizations: boolean): Promise<void> {
  const { users, members, visibility, signingKeys } = repositories
  const order = { field: 'CREATED_AT', direction: 'ASC' } as const
  await Promise.allSettled([
    users.findByIds([]),
    visibility.look([]),
    signingKeys.findAll(),
    ...(organizations
      ? [
          repositories.organizations.findByIds([]),
          members.listByUserIds([], page, { scope: 'all' }),
          members.listByOrganizationIds([], page, {}, order),
        ]
      : []),
  ])
}
