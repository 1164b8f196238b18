import { sessionFunction, sessionIdFunction } from '../../layout/owner-functions.ts'
import { findSessionObstacle } from '../../layout/sessions.ts'
import type { Check } from '../finding.ts'
import { faultOf } from './owner-function.ts'

/** Whether the functions that find a session's user and its id are there for this role, and for nobody else. */
export const checkSessions: Check = async (examined) => {
  const { config, layout } = examined
  if (config.auth.sessions === null) return []
  const made = sessionFunction(layout, config.database)
  const fault = await faultOf(made, findSessionObstacle(layout), examined, {
    variable: 'AUTH_SESSIONS',
    needing: 'a session',
    asking: 'whose session a token is',
  })
  if (fault) return [fault]
  const unnamed = await faultOf(sessionIdFunction(layout, config.database), null, examined, {
    variable: 'AUTH_SESSIONS',
    needing: 'a session',
    asking: 'which session a token is of',
    otherwise: 'viewerSession and isCurrent of sessions are null',
  })
  if (unnamed) return [unnamed]
  const unknown = layout.Session?.authoritative === undefined
  return [{ level: 'info', message: `Sessions can be looked up.${unknown ? UNKNOWN : ''}` }]
}

const UNKNOWN =
  ' That no row outlives its session, as with secondaryStorage and session.preserveSessionInDatabase of Better Auth, is known once introspect --auth has asked it.'
