import { sessionFunction } from '../../layout/owner-functions.ts'
import { findSessionObstacle } from '../../layout/sessions.ts'
import type { Check } from '../finding.ts'
import { faultOf } from './owner-function.ts'

/** Whether the function that finds a session's user is there for this role, and for nobody else. */
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
  const unknown = layout.Session?.authoritative === undefined
  return [{ level: 'info', message: `Sessions can be looked up.${unknown ? UNKNOWN : ''}` }]
}

const UNKNOWN =
  ' That no row outlives its session, as with secondaryStorage and session.preserveSessionInDatabase of Better Auth, is known once introspect --auth has asked it.'
