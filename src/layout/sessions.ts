import type { Layout } from './layout.ts'
import { apiKeyFunction } from './owner-functions.ts'

/** Why sessions of this database cannot be credentials, in a sentence; `null` when nothing is known against it. */
export function findSessionObstacle({ Session }: Pick<Layout, 'Session'>): string | null {
  if (Session === null)
    return 'AUTH_SESSIONS: this database has no table of sessions: set it off, or set session.storeSessionInDatabase in Better Auth and run introspect.'
  return Session.authoritative === false ? NOT_AUTHORITATIVE : null
}

/** Why tokens of apps cannot be credentials: nobody could say which apps there are. `null`: nothing is known against it. */
export function findOauthObstacle({ OauthClient }: Pick<Layout, 'OauthClient'>): string | null {
  return OauthClient === null
    ? 'OAUTH_AUDIENCE: this database has no table of OAuth clients: add the oauth-provider plug-in to Better Auth and run introspect, and the SQL of doctor --sql, or leave OAUTH_AUDIENCE away.'
    : null
}

/** Why API keys cannot be credentials: nothing says whose they are. `null`: nothing is known against it. */
export function findApiKeyObstacle(layout: Pick<Layout, 'Apikey'>): string | null {
  return apiKeyFunction(layout, { schema: '' }) === null
    ? 'AUTH_API_KEYS: this database has no table of API keys that is as the api-key plug-in makes it: add the plug-in to Better Auth, storing keys in the database, and run introspect, and the SQL of doctor --sql, or leave AUTH_API_KEYS off.'
    : null
}

/** The same of all credentials that are switched on. */
export function findCredentialObstacle(
  layout: Pick<Layout, 'Session' | 'OauthClient' | 'Apikey'>,
  { sessions, oauth, apiKeys }: Readonly<Record<'sessions' | 'oauth' | 'apiKeys', unknown>>,
): string | null {
  return (
    (sessions ? findSessionObstacle(layout) : null) ??
    (oauth ? findOauthObstacle(layout) : null) ??
    (apiKeys ? findApiKeyObstacle(layout) : null)
  )
}

const NOT_AUTHORITATIVE =
  'AUTH_SESSIONS: Better Auth asks its secondary storage who is signed in, and session.preserveSessionInDatabase lets sessions that ended there live on in the table: set it off and use JWTs, or take preserveSessionInDatabase away and run introspect --auth again.'
