import type { Viewer, ViewerSources } from '../access/viewer.ts'
import type { AuditTrail } from '../domain/audit.ts'
import type { PermissionService } from '../domain/permission.ts'
import type { Repositories } from '../domain/repositories.ts'
import type { Loaders } from './loaders.ts'

/** What the graph reads from. */
export interface Sources extends Repositories, ViewerSources {
  readonly permissions: PermissionService
  /** The role that whoever creates an organization gets, which only its holders may hand out. */
  readonly creatorRole: string
}

/** Made anew for each request: the viewer and the loaders remember what was read, and never beyond it. */
export interface Context extends Sources {
  readonly viewer: Viewer
  readonly loaders: Loaders
  /** Absent: what is told is not audited. */
  readonly trail?: AuditTrail | undefined
}

export function createContext(sources: Sources, viewer: Viewer, trail?: AuditTrail): Context {
  // In this order: with a property after the spread, this takes thirty times as long, half the time of a small request.
  return { viewer, trail, loaders: new Map(), ...sources }
}
