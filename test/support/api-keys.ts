import { createHash, randomBytes } from 'node:crypto'
import type { Identity } from './identity.ts'
import { readAnew } from './oauth.ts'
import { planted } from './planted.ts'

/** A row of the table of keys, of which the owner and the permissions are said most often. */
export interface KeyRow {
  readonly reference_id: string
  /** As JSON; absent: everything that the gateway knows. */
  readonly permissions?: string | null
  readonly config_id?: string | null
  readonly enabled?: boolean | null
  readonly expires_at?: Date | null
  readonly remaining?: number | null
}

export const organizationConfig = 'machines'

/** What a key for these scopes is permitted. */
export function permissionsFor(scopes: string): string {
  const permissions: Record<string, string[]> = {}
  for (const scope of scopes.split(' ').filter(Boolean)) {
    const [resource = '', action = ''] = scope.split(':')
    permissions[resource] = [...(permissions[resource] ?? []), action]
  }
  return JSON.stringify(permissions)
}

/**
 * The table of the api-key plug-in, and keys as it keeps them. Better Auth itself need not have the plug-in for it;
 * `test/long/api-keys.test.ts` is about one that has.
 */
export async function createKeys({ sql }: Pick<Identity, 'sql'>) {
  await sql(`create table api_keys (id text primary key, config_id text, reference_id text not null, key text not null,
    permissions text, enabled boolean, expires_at timestamptz, remaining integer, rate_limit_time_window integer,
    name text, start text, prefix text, last_request timestamptz, created_at timestamptz not null default now(),
    metadata text default '${planted('metadata')}')`)
  /** Answers the key. */
  return async (row: KeyRow): Promise<string> => {
    const key = `test_${randomBytes(24).toString('base64url')}`
    const permissions = permissionsFor('identity:read identity:pii permissions:check')
    const values = { permissions, config_id: 'default', enabled: true, ...row }
    await sql(
      `insert into api_keys (id, key, config_id, reference_id, permissions, enabled, expires_at, remaining)
       values ($1, $2, $3, $4, $5, $6, $7, $8)`,
      [
        key.slice(-8),
        createHash('sha256').update(key).digest('base64url'),
        values.config_id,
        values.reference_id,
        values.permissions,
        values.enabled,
        values.expires_at ?? null,
        values.remaining ?? null,
      ],
    )
    return key
  }
}

/** What has a gateway accept keys, once their table is there. */
export async function acceptingKeys(identity: Identity) {
  return {
    ...(await readAnew(identity)),
    AUTH_API_KEYS: 'on',
    AUTH_API_KEY_ORGANIZATIONS: organizationConfig,
  }
}
