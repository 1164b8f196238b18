import { hash } from 'node:crypto'
import { scopes } from '../domain/caller.ts'
import type { OpaqueTokenLookup } from '../domain/opaque-token-lookup.ts'
import { boundKeyOf, type Verified } from './jwt.ts'
import { refused } from './refused.ts'

export type OpaqueTokenVerifier = ReturnType<typeof createOpaqueTokenVerifier>

/**
 * Recognises opaque access tokens of Better Auth's OAuth provider, by the rules of its JWTs. Each is looked up anew, so one
 * that was revoked or has expired ends with the next request. Most were given for no resource, so for this one as well.
 */
export function createOpaqueTokenVerifier(options: {
  /** What they begin with, which is not part of what Better Auth stores. */
  readonly prefix: string
  /** What this gateway is called as a resource: tokens that were given for others alone are refused. */
  readonly audience: readonly string[]
  readonly lookup: OpaqueTokenLookup
}) {
  const { prefix, audience, lookup } = options
  return {
    /** Whether a bearer may be one, by its form. JWTs and signed session tokens have dots. */
    resembles: (bearer: string) =>
      bearer.startsWith(prefix) && FORM.test(bearer.slice(prefix.length)),
    /** @throws GatewayError UNAUTHENTICATED, or UNAVAILABLE or TIMEOUT when tokens cannot be looked up. */
    verify: async (bearer: string): Promise<Verified> => {
      // As Better Auth stores it.
      const found = await lookup.findByHash(
        hash('sha256', bearer.slice(prefix.length), 'base64url'),
      )
      if (!found) throw refused('unknown token')
      if (found.revoked) throw refused('revoked')
      if (found.expired) throw refused('expired')
      const { userId, clientId, sessionId } = found
      // What a client has for itself is no service here: it names no audience, and whose user was deleted may look the same.
      if (userId === null || clientId === null) throw refused('client')
      const resources = listOf(found.resources)
      if (
        !resources ||
        (resources.length > 0 && !audience.some((name) => resources.includes(name)))
      )
        throw refused('audience')
      const granted = listOf(found.scopes) ?? []
      // The table forgets a session that is deleted, and no token but one for this scope may outlive its own.
      if (sessionId === null && !granted.includes('offline_access')) throw refused('no session')
      return {
        caller: {
          kind: 'delegated',
          userId,
          scopes: new Set(scopes.filter((name) => granted.includes(name))),
          delegation: { clientId, sessionId },
        },
        boundTo: boundKeyOf(found.confirmation ?? undefined),
      }
    },
  }
}

/** Better Auth's own have 32 letters. */
const FORM = /^[\w~+/=-]{16,256}$/

/** `null` for what is no list. */
function listOf(stored: unknown): readonly unknown[] | null {
  if (stored === null) return []
  if (Array.isArray(stored)) return stored
  try {
    return typeof stored === 'string' ? listOf(JSON.parse(stored)) : null
  } catch {
    return null
  }
}
