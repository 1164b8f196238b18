import type { Caller } from '../domain/caller.ts'
import { ClosedViewer } from './closed-viewer.ts'
import { DelegatedViewer } from './delegated-viewer.ts'
import { OrganizationViewer } from './organization-viewer.ts'
import { ServiceViewer } from './service-viewer.ts'
import { UserViewer, type ViewerSources } from './user-viewer.ts'

/**
 * What the caller of one request may see. A door is a field of Query, or a reference in `_entities`, which lets a caller
 * in to an entity or shows nothing. Past it, edges are narrowed, so that a user reaches only their own organizations and
 * the members of those, and fields follow audiences.ts.
 */
export type Viewer = ClosedViewer
export type { ReachedUser } from './closed-viewer.ts'
export type { ViewerSources } from './user-viewer.ts'

/** Does not compile when a kind of caller is missing; one that is unknown at run time sees nothing. */
export function createViewer(caller: Caller, sources: ViewerSources): Viewer {
  switch (caller.kind) {
    case 'anonymous':
      return new ClosedViewer()
    case 'user':
      return new UserViewer(caller.userId, sources, caller)
    case 'delegated':
      return new DelegatedViewer(caller, sources)
    case 'organization':
      return new OrganizationViewer(caller, sources)
    case 'service':
      return new ServiceViewer(caller.scopes)
    default:
      caller satisfies never
      return new ClosedViewer()
  }
}
