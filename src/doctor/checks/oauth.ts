import { opaqueTokenFunction } from '../../layout/owner-functions.ts'
import { findOauthObstacle, findOpaqueTokenObstacle, OUTLIVING } from '../../layout/sessions.ts'
import type { Check } from '../finding.ts'
import { faultOf } from './owner-function.ts'

/** Whether what ends the tokens of apps can be read: their clients, and the sessions of those who consented. */
export const checkOauth: Check = async ({ config, layout }) => {
  if (config.auth.oauth === null) return []
  const obstacle = findOauthObstacle(layout)
  if (obstacle !== null) return [{ level: 'error', message: obstacle }]
  if (layout.Session === null) return [{ level: 'warning', message: NO_SESSIONS }]
  return layout.Session.authoritative === false
    ? [
        {
          level: 'warning',
          message: `${OUTLIVING}, and access tokens of apps with them. ${SHORT}.`,
        },
      ]
    : [{ level: 'info', message: 'Access tokens of apps end with their client and their session.' }]
}

/** The same of those that are opaque, and whether the function that finds them is there for this role, and for nobody else. */
export const checkOpaqueTokens: Check = async (examined) => {
  const { config, layout } = examined
  if (config.auth.opaqueTokens === null) return []
  const made = opaqueTokenFunction(layout, config.database)
  const fault = await faultOf(made, findOpaqueTokenObstacle(layout), examined, {
    variable: 'OAUTH_OPAQUE_TOKENS',
    needing: 'an opaque access token',
    asking: 'whom an access token speaks for',
  })
  return [fault ?? { level: 'info', message: OPAQUE }]
}

const OPAQUE =
  'Opaque access tokens can be looked up. They name no audience, so every one that Better Auth has given for no resource is accepted here, within its scopes. Their hashes are looked up, so with storeTokens of the plug-in every token is refused.'
const SHORT = 'Keep them short (accessTokenExpiresIn)'
const NO_SESSIONS = `Access tokens of apps end with their client, but not with their session: this database has no table of sessions, so whoever signs out is read of until the token expires. ${SHORT}, or set session.storeSessionInDatabase in Better Auth and run introspect.`
