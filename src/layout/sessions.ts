import type { Layout } from './layout.ts'
import { apiKeyFunction, opaqueTokenFunction } from './owner-functions.ts'

/** Why sessions of this database cannot be credentials, in a sentence; `null` when nothing is known against it. */
export function findSessionObstacle({ Session }: Pick<Layout, 'Session'>): string | null {
  if (Session === null)
    return 'AUTH_SESSIONS: this database has no table of sessions: set it off, or set session.storeSessionInDatabase in Better Auth and run introspect.'
  return Session.authoritative === false
    ? `AUTH_SESSIONS: ${OUTLIVING}: set it off and use JWTs, or ${ENDING}`
    : null
}

/** Why tokens of apps cannot be credentials: nobody could say which apps there are. `null`: nothing is known against it. */
export function findOauthObstacle({ OauthClient }: Pick<Layout, 'OauthClient'>): string | null {
  return OauthClient === null
    ? 'OAUTH_AUDIENCE: this database has no table of OAuth clients: add the oauth-provider plug-in to Better Auth and run introspect, and the SQL of doctor --sql, or leave OAUTH_AUDIENCE away.'
    : null
}

/** The same of those that are opaque: everything that ends them must be there to be read. */
export function findOpaqueTokenObstacle(layout: CredentialTables): string | null {
  if (layout.Session?.authoritative === false)
    return `OAUTH_OPAQUE_TOKENS: ${OUTLIVING}, and tokens with them: set it off, or ${ENDING}`
  return layout.Session && layout.OauthClient && opaqueTokenFunction(layout, { schema: '' })
    ? null
    : 'OAUTH_OPAQUE_TOKENS: this database has no tables of sessions, of OAuth clients and of access tokens that are as the oauth-provider plug-in makes them since 1.7: add the plug-in to Better Auth and run introspect, and the SQL of doctor --sql, or leave OAUTH_OPAQUE_TOKENS off.'
}

/** Why API keys cannot be credentials: nothing says whose they are. `null`: nothing is known against it. */
export function findApiKeyObstacle(layout: Pick<Layout, 'Apikey'>): string | null {
  return apiKeyFunction(layout, { schema: '' }) === null
    ? 'AUTH_API_KEYS: this database has no table of API keys that is as the api-key plug-in makes it: add the plug-in to Better Auth, storing keys in the database, and run introspect, and the SQL of doctor --sql, or leave AUTH_API_KEYS off.'
    : null
}

/** The same of all credentials that are switched on. */
export function findCredentialObstacle(
  layout: CredentialTables,
  on: Readonly<Record<'sessions' | 'oauth' | 'opaqueTokens' | 'apiKeys', unknown>>,
): string | null {
  return (
    (on.sessions ? findSessionObstacle(layout) : null) ??
    (on.oauth ? findOauthObstacle(layout) : null) ??
    (on.opaqueTokens ? findOpaqueTokenObstacle(layout) : null) ??
    (on.apiKeys ? findApiKeyObstacle(layout) : null)
  )
}

type CredentialTables = Pick<Layout, 'Session' | 'OauthClient' | 'OauthAccessToken' | 'Apikey'>

/** What is known of a table that is not authoritative. */
export const OUTLIVING =
  'Better Auth asks its secondary storage who is signed in, and session.preserveSessionInDatabase lets sessions that ended there live on in the table'
const ENDING = 'take preserveSessionInDatabase away and run introspect --auth again.'
