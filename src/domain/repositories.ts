import type { AccountRepository } from './account.ts'
import type { InvitationRepository } from './invitation.ts'
import type { MemberRepository } from './member.ts'
import type { OrganizationRepository } from './organization.ts'
import type { PluginRepositories } from './plugins.ts'
import type { SessionRepository } from './session.ts'
import type { TeamRepository } from './team.ts'
import type { UserRepository } from './user.ts'
import type { VisibilityRepository } from './visibility.ts'

/** Everything that is read about identity, all of it read-only. */
export interface Repositories extends PluginRepositories {
  readonly users: UserRepository
  readonly accounts: AccountRepository
  readonly sessions: SessionRepository
  readonly organizations: OrganizationRepository
  readonly members: MemberRepository
  readonly invitations: InvitationRepository
  readonly teams: TeamRepository
  readonly visibility: VisibilityRepository
}
