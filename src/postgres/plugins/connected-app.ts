import type { ConnectedApp, PluginRepositories } from '../../domain/plugins.ts'
import { Columns, from } from '../columns.ts'
import { type Db, findRows, joining } from '../db.ts'
import { by } from '../join.ts'

type App = Pick<ConnectedApp, 'clientId' | 'name' | 'uri' | 'icon'>
interface Consent extends Omit<ConnectedApp, keyof App> {
  readonly clientId: string
  readonly isGiven: boolean
}

const consent = new Columns<Consent>('OauthConsent', '', {
  id: 'same',
  userId: from('userId', (id: string | null) => id ?? ''),
  clientId: 'same',
  scopes: from('scopes', (stored) => toTexts(stored) ?? []),
  resources: from('resources', toTexts),
  createdAt: 'same',
  isGiven: from('consentGiven', (given: boolean | null) => given ?? true),
})
const client = new Columns<App>('OauthClient', '', {
  clientId: 'same',
  name: 'same',
  uri: 'same',
  icon: 'same',
})

/** Apps are looked up after the consents, which live on when their app has gone. */
export function createConnectedAppRepository(db: Db): PluginRepositories['connectedApps'] {
  return {
    findByUserIds: joining(db, 'connectedApps')(by('userId'), async (userIds) => {
      const found = await findRows(db, consent, 'userId', userIds, ['createdAt', 'id'])
      const given = found.filter(({ isGiven }) => isGiven)
      const clientIds = [...new Set(given.map(({ clientId }) => clientId))]
      const apps = new Map(
        (await findRows(db, client, 'clientId', clientIds)).map((app) => [app.clientId, app]),
      )
      return given.map(({ isGiven: _, ...rest }) => ({
        ...(apps.get(rest.clientId) ?? unknown),
        ...rest,
      }))
    }),
  }
}

const unknown = { name: null, uri: null, icon: null }

/** An array, as PostgreSQL or JSON has it, the same as text, or names with spaces between them. */
function toTexts(stored: unknown): readonly string[] | null {
  if (stored === null) return null
  if (Array.isArray(stored)) return stored.map(String)
  const text = String(stored)
  try {
    const parsed: unknown = JSON.parse(text)
    if (Array.isArray(parsed)) return parsed.map(String)
  } catch {
    // No JSON: a list of names.
  }
  return text.split(/[\s,]+/).filter((name) => name !== '')
}
