import type {
  Passkey,
  PluginRepositories,
  ScimUser,
  SsoProvider,
  Subscription,
} from '../../domain/plugins.ts'
import { Columns, from } from '../columns.ts'
import { type Db, findRows, joining } from '../db.ts'
import { by } from '../join.ts'
import { createApiKeyRepository, inRange } from './api-key.ts'
import { createConnectedAppRepository } from './connected-app.ts'
import { areOwnersAmbiguous } from './owners.ts'

const passkey = new Columns<Passkey>('Passkey', '', {
  id: 'same',
  userId: 'same',
  name: 'same',
  deviceType: 'same',
  backedUp: 'same',
  createdAt: 'same',
  aaguid: 'same',
})

const ssoProvider = new Columns<SsoProvider>('SsoProvider', '', {
  id: 'same',
  organizationId: from('organizationId', (id: string | null) => id ?? ''),
  providerId: 'same',
  issuer: 'same',
  domain: 'same',
  domainVerified: 'same',
})

const scimUser = new Columns<ScimUser>('ScimUser', '', {
  id: 'same',
  userId: 'same',
  active: 'same',
  externalId: 'same',
  displayName: 'same',
})

const subscription = new Columns<Subscription>('Subscription', '', {
  id: 'same',
  referenceId: 'same',
  plan: 'same',
  status: 'same',
  periodStart: 'same',
  periodEnd: 'same',
  trialStart: 'same',
  trialEnd: 'same',
  cancelAtPeriodEnd: 'same',
  cancelAt: 'same',
  canceledAt: 'same',
  endedAt: 'same',
  seats: from('seats', inRange),
  billingInterval: 'same',
})

/** Others are over, or were never paid for: Better Auth does not list them either. */
const current = ['active', 'trialing']

/** What the tables themselves do not say. */
export interface Told {
  readonly organizationConfigs: readonly string[]
}

export function createPluginRepositories(
  db: Db,
  { organizationConfigs }: Told = { organizationConfigs: [] },
): PluginRepositories {
  const subscriptions = joining(db, 'subscriptions')(by('referenceId'), async (ownerIds) =>
    (await findRows(db, subscription, 'referenceId', ownerIds, ['plan', 'id'])).filter(
      ({ status }) => current.includes(status),
    ),
  )
  return {
    passkeys: {
      findByUserIds: joining(db, 'passkeys')(by('userId'), (userIds) =>
        findRows(db, passkey, 'userId', userIds, ['createdAt', 'id']),
      ),
    },
    apiKeys: createApiKeyRepository(db, organizationConfigs),
    connectedApps: createConnectedAppRepository(db),
    ssoProviders: {
      findByOrganizationIds: joining(db, 'ssoProviders')(by('organizationId'), (organizationIds) =>
        findRows(db, ssoProvider, 'organizationId', organizationIds, ['providerId', 'id']),
      ),
    },
    scimUsers: {
      findByUserIds: joining(db, 'scimUsers')(by('userId'), (userIds) =>
        findRows(db, scimUser, 'userId', userIds, ['createdAt', 'id']),
      ),
    },
    subscriptions: {
      findByOwnerIds: async (ownerIds) =>
        areOwnersAmbiguous(db.tables) ? null : subscriptions(ownerIds),
    },
  }
}
