import { scopes } from '../domain/caller.ts'

/** What a client learns of where its access token comes from, as RFC 9728 has it. */
export interface ProtectedResource {
  /** Where the metadata is told, for the header `WWW-Authenticate`. */
  readonly metadataUrl: string
  /** The paths at which it is asked for. */
  readonly paths: readonly string[]
  readonly metadata: string
}

const WELL_KNOWN = '/.well-known/oauth-protected-resource'

/**
 * `null` where no tokens are accepted, and for a resource that is no URL, of which no client could find anything.
 * @param proofAlgorithms See `Challenge`.
 */
export function describeResource(
  oauth: { readonly issuer: readonly string[]; readonly audience: readonly string[] } | null,
  proofAlgorithms: readonly string[],
): ProtectedResource | null {
  const [resource = ''] = oauth?.audience ?? []
  if (!/^https?:/.test(resource) || !URL.canParse(resource)) return null
  const { origin, pathname, search } = new URL(resource)
  const path = `${WELL_KNOWN}${pathname.replace(/\/$/, '')}`
  return {
    metadataUrl: `${origin}${path}${search}`,
    paths: [WELL_KNOWN, path],
    metadata: JSON.stringify({
      resource,
      authorization_servers: oauth?.issuer,
      scopes_supported: scopes,
      bearer_methods_supported: ['header'],
      ...(proofAlgorithms.length > 0 && { dpop_signing_alg_values_supported: proofAlgorithms }),
    }),
  }
}
