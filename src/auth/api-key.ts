import { hash } from 'node:crypto'
import { type ApiKeyLookup, isOfOrganization } from '../domain/api-key-lookup.ts'
import { type Caller, type Scope, scopes } from '../domain/caller.ts'
import { refused } from './refused.ts'

export type ApiKeyVerifier = ReturnType<typeof createApiKeyVerifier>

export interface ApiKeyOptions {
  /** In which header keys come. */
  readonly header: string
  /** The configurations of the plug-in whose keys are organizations'; those of others are users'. */
  readonly organizationConfigs: readonly string[]
  readonly lookup: ApiKeyLookup
}

/**
 * Recognises API keys of Better Auth. Each is looked up anew, so one that was deleted, disabled or has expired ends with
 * the next request. One whose uses are counted is refused: to count them is to write.
 */
export function createApiKeyVerifier({ header, organizationConfigs, lookup }: ApiKeyOptions) {
  return {
    header,
    /** @throws GatewayError UNAUTHENTICATED, or UNAVAILABLE or TIMEOUT when keys cannot be looked up. */
    verify: async (key: string): Promise<Caller> => {
      if (key.length > LONGEST) throw refused('too long')
      // As Better Auth stores it.
      const found = await lookup.findByHash(hash('sha256', key, 'base64url'))
      if (!found) throw refused('unknown key')
      if (found.disabled) throw refused('disabled key')
      if (found.expired) throw refused('expired')
      if (found.metered) throw refused('metered key')
      const granted = scopesOf(found.permissions)
      const { id: keyId, ownerId } = found
      return isOfOrganization(found, organizationConfigs)
        ? { kind: 'organization', organizationId: ownerId, keyId, scopes: granted }
        : { kind: 'delegated', userId: ownerId, scopes: granted, delegation: { keyId } }
    },
  }
}

/** In characters; Better Auth's own have 64, after a prefix. */
const LONGEST = 1024

/** The scope `identity:read` is the action `read` of the resource `identity`. */
function scopesOf(permissions: string | null): ReadonlySet<Scope> {
  const granted = parsed(permissions)
  const isGranted = (scope: Scope) => {
    const [resource = '', action] = scope.split(':')
    const actions = granted?.[resource]
    return Array.isArray(actions) && actions.includes(action)
  }
  return new Set(scopes.filter(isGranted))
}

function parsed(json: string | null): Readonly<Record<string, unknown>> | null {
  try {
    return JSON.parse(json ?? 'null')
  } catch {
    return null
  }
}
