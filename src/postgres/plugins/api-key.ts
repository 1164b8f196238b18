import { isOfOrganization } from '../../domain/api-key-lookup.ts'
import type { ApiKey, PluginRepositories } from '../../domain/plugins.ts'
import { Columns, from, parseJson } from '../columns.ts'
import { type Db, findRows, joining } from '../db.ts'
import { by } from '../join.ts'
import { areOwnersAmbiguous } from './owners.ts'

/** @param organizationConfigs See `isOfOrganization`; none: nothing is known of keys of organizations. */
export function createApiKeyRepository(
  db: Db,
  organizationConfigs: readonly string[],
): PluginRepositories['apiKeys'] {
  const [owner] = db.tables.present('Apikey', ['referenceId', 'userId'])
  if (owner === undefined) return { findByUserIds: nobodyKnows, findByOrganizationIds: nobodyKnows }
  const columns = new Columns<ApiKey>('Apikey', '', {
    id: 'same',
    ownerId: from(owner, (id: string | null) => id ?? ''),
    configId: 'same',
    name: 'same',
    start: 'same',
    prefix: 'same',
    enabled: 'same',
    expiresAt: 'same',
    lastUsedAt: from('lastRequest', (instant: Date | null) => instant),
    remaining: from('remaining', inRange),
    permissions: from('permissions', parseJson),
    createdAt: 'same',
  })
  const find = joining(db, 'apiKeys')(by('ownerId'), (ownerIds) =>
    findRows(db, columns, owner, ownerIds, ['createdAt', 'id']),
  )
  const isKnown = organizationConfigs.length > 0
  const isTold = owner === 'userId' || isKnown || !areOwnersAmbiguous(db.tables)
  const isMachine = (key: ApiKey) => isOfOrganization(key, organizationConfigs)
  return {
    findByUserIds: isTold
      ? async (ids) => (await find(ids)).filter((key) => !isMachine(key))
      : nobodyKnows,
    findByOrganizationIds:
      owner === 'referenceId' && isKnown
        ? async (ids) => (await find(ids)).filter(isMachine)
        : nobodyKnows,
  }
}

async function nobodyKnows(): Promise<null> {
  return null
}

const LARGEST = 2 ** 31 - 1

/** Of whatever kind of number is stored. The most that an `Int` of GraphQL can be stands for more. */
export function inRange(stored: number | string | null): number | null {
  if (stored === null) return null
  return Math.max(-LARGEST, Math.min(Math.trunc(Number(stored)), LARGEST))
}
