import type { Layout } from './layout.ts'

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

/** The same of all credentials that are switched on. */
export function findCredentialObstacle(
  layout: Pick<Layout, 'Session' | 'OauthClient'>,
  { sessions, oauth }: { readonly sessions: unknown; readonly oauth: unknown },
): string | null {
  return (
    (sessions ? findSessionObstacle(layout) : null) ?? (oauth ? findOauthObstacle(layout) : null)
  )
}

const NOT_AUTHORITATIVE =
  'AUTH_SESSIONS: Better Auth asks its secondary storage who is signed in, and session.preserveSessionInDatabase lets sessions that ended there live on in the table: set it off and use JWTs, or take preserveSessionInDatabase away and run introspect --auth again.'
