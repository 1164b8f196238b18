import { Grants } from '../access/grants.ts'
import { Doors } from '../access/viewer.ts'
import type { Caller } from '../domain/caller.ts'
import type { PermissionService } from '../domain/permission.ts'
import type { Repositories } from '../domain/repositories.ts'
import type { MadeOnce } from './loaders.ts'

/** What the graph reads from. */
export interface Sources extends Repositories {
  readonly permissions: PermissionService
  readonly platformAdminRoles: readonly string[]
  /** The role that whoever creates an organization gets, which only its holders may hand out. */
  readonly creatorRole: string
}

/** Made anew for each request: loaders and doors remember what was read, and never beyond it. */
export interface Context extends Sources {
  readonly caller: Caller
  readonly grants: Grants
  readonly doors: Doors
  readonly madeOnce: MadeOnce
}

export function createContext(sources: Sources, caller: Caller): Context {
  const grants = new Grants(sources.permissions)
  const { visibility, platformAdminRoles } = sources
  const doors = new Doors(caller, { visibility, platformAdminRoles, grants })
  return { ...sources, caller, grants, doors, madeOnce: new Map() }
}
