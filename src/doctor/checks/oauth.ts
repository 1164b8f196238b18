import { findOauthObstacle } from '../../layout/sessions.ts'
import type { Check } from '../finding.ts'

/** Whether what ends the tokens of apps can be read: their clients, and the sessions of those who consented. */
export const checkOauth: Check = async ({ config, layout }) => {
  if (config.auth.oauth === null) return []
  const obstacle = findOauthObstacle(layout)
  if (obstacle !== null) return [{ level: 'error', message: obstacle }]
  return layout.Session
    ? [{ level: 'info', message: 'Access tokens of apps end with their client and their session.' }]
    : [{ level: 'warning', message: NO_SESSIONS }]
}

const NO_SESSIONS =
  'Access tokens of apps end with their client, but not with their session: this database has no table of sessions, so whoever signs out is read of until the token expires. Keep them short (accessTokenExpiresIn), or set session.storeSessionInDatabase in Better Auth and run introspect.'
