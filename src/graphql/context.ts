import type { Caller } from '../domain/caller.ts'
import type { MemberRepository } from '../domain/member.ts'
import type { OrganizationRepository } from '../domain/organization.ts'
import type { PermissionService } from '../domain/permission.ts'
import type { UserRepository } from '../domain/user.ts'
import type { VisibilityRepository } from '../domain/visibility.ts'
import { Doors } from './doors.ts'

/** What the graph reads from. */
export interface Sources {
  readonly users: UserRepository
  readonly organizations: OrganizationRepository
  readonly members: MemberRepository
  readonly visibility: VisibilityRepository
  readonly permissions: PermissionService
  readonly platformAdminRoles: readonly string[]
}

/** Made anew for each request: loaders and doors remember what was read, and never beyond it. */
export interface Context extends Sources {
  readonly caller: Caller
  readonly doors: Doors
}

export function createContext(sources: Sources, caller: Caller): Context {
  return { ...sources, caller, doors: new Doors(caller, sources) }
}
