import type {
  Passkey,
  PluginRepositories,
  ScimUser,
  SsoProvider,
  Subscription,
} from '../../domain/plugins.ts'
import { Columns, from } from '../columns.ts'
import { type Db, ofOwners } from '../db.ts'
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
  const byAge = ['createdAt', 'id']
  const subscriptions = ofOwners(db, 'subscriptions', subscription, 'referenceId', ['plan', 'id'])
  return {
    passkeys: { findByUserIds: ofOwners(db, 'passkeys', passkey, 'userId', byAge) },
    apiKeys: createApiKeyRepository(db, organizationConfigs),
    connectedApps: createConnectedAppRepository(db),
    ssoProviders: {
      findByOrganizationIds: ofOwners(db, 'ssoProviders', ssoProvider, 'organizationId', [
        'providerId',
        'id',
      ]),
    },
    scimUsers: { findByUserIds: ofOwners(db, 'scimUsers', scimUser, 'userId', byAge) },
    subscriptions: {
      findByOwnerIds: async (ownerIds) =>
        areOwnersAmbiguous(db.tables)
          ? null
          : (await subscriptions(ownerIds)).filter(({ status }) => current.includes(status)),
    },
  }
}
