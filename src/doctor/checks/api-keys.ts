import { apiKeyFunction } from '../../layout/owner-functions.ts'
import { findApiKeyObstacle } from '../../layout/sessions.ts'
import type { Check } from '../finding.ts'
import { faultOf } from './owner-function.ts'

/** Whether the function that finds whose an API key is is there for this role, and for nobody else. */
export const checkApiKeys: Check = async (examined) => {
  const { config, layout } = examined
  const { apiKeys } = config.auth
  if (apiKeys === null) return layout.Apikey ? [{ level: 'info', message: IS_OFF }] : []
  const made = apiKeyFunction(layout, config.database)
  const fault = await faultOf(made, findApiKeyObstacle(layout), examined, {
    variable: 'AUTH_API_KEYS',
    needing: 'an API key',
    asking: 'whose key a hash is of',
  })
  if (fault) return [fault]
  const of = apiKeys.organizationConfigs
  const whose =
    of.length === 0
      ? "every key is a user's (AUTH_API_KEY_ORGANIZATIONS)"
      : `keys of ${of.join(', ')} are organizations', others users'`
  const message = `API keys can be looked up: ${whose}. ${HASHED}`
  const isAmbiguous = of.length === 0 && layout.Organization?.columns.id?.type === 'integer'
  return [
    isAmbiguous
      ? { level: 'warning', message: `${message} ${NUMBERS}` }
      : { level: 'info', message },
  ]
}

const IS_OFF =
  'Better Auth gives API keys away, which are no credentials here: AUTH_API_KEYS=on accepts them.'
const NUMBERS =
  'Ids are numbers here, so the key of an organization whose configuration is not named would be one of the user with the same number.'
const HASHED =
  'Their hashes are looked up, so with disableKeyHashing of the plug-in every key is refused.'
