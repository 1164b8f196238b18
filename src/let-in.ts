import { createViewer } from './access/viewer.ts'
import type { Audit } from './audit/create.ts'
import type { Authenticator } from './domain/caller.ts'
import { type Context, createContext, type Sources } from './graph/context.ts'
import type { Admission } from './operation/admission.ts'
import type { Pace } from './operation/turns.ts'
import type { RequestScope } from './scope.ts'

export interface LetInParts {
  readonly admission: Admission
  readonly authenticator: Authenticator
  readonly sources: Sources
  /** `null`: what is told is not recorded. */
  readonly audit: Audit | null
}

/** What is about to be asked. */
interface Asking {
  readonly scope: RequestScope
  readonly headers: Pick<Headers, 'get'>
  readonly pace: Pace
  /** What it costs. */
  readonly points: number
  /** For which URL a proof has to be signed that comes with a token; absent: that of the graph. */
  readonly url?: string | null
}

/**
 * The steps before anything is answered, whichever interface asks: who calls, whether they may ask this much now, and what
 * they may see. Whoever is let in leaves the place when the answer is there.
 * @throws GatewayError or GraphQLError when they are not let in
 */
export function createLetIn({ admission, authenticator, sources, audit }: LetInParts) {
  const { visibility, platformAdmins, creatorRole } = sources
  return async ({ scope, headers, pace, points, url }: Asking) => {
    scope.authenticated ??= authenticator.authenticate(headers, scope.method, url)
    const caller = await scope.authenticated
    if (caller.kind === 'anonymous') scope.cookieIgnored = caller.ignored ?? null
    const place = await admission.admit(scope, caller, points)
    const trail = audit?.(caller, scope)
    const viewer = createViewer(caller, { visibility, platformAdmins, creatorRole, pace })
    const context: Context = createContext(sources, viewer, { pace, trail })
    return { caller, place, trail, context }
  }
}

export type LetIn = ReturnType<typeof createLetIn>
/** Whoever was let in. */
export type LetInCaller = Awaited<ReturnType<LetIn>>
