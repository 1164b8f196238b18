import type { RoleRepository } from '../domain/permission.ts'
import { createRedis } from '../redis/client.ts'
import type { PermissionCache } from './cache.ts'
import { type RoleDefinitions, versionOf } from './definitions.ts'
import { MemoryPermissionCache } from './memory-cache.ts'
import { RedisPermissionCache, type RedisPermissionCacheOptions } from './redis-cache.ts'
import { CachingPermissionService } from './service.ts'
import { Trust } from './trust.ts'
import { TrustedCache } from './trusted-cache.ts'

export interface PermissionsOptions
  extends Pick<RedisPermissionCacheOptions, 'ttlSeconds' | 'onTrouble' | 'onRest' | 'onAttempt'> {
  readonly definitions: RoleDefinitions
  /** Whether roles kept in the database count. */
  readonly dynamic: boolean
  /** What tells this Better Auth from others whose gateways use the same Redis and prefix. */
  readonly origin: readonly string[]
  /** `null`: grants are kept in this process. */
  readonly redis: {
    readonly url: string
    readonly keyPrefix: string
    readonly timeoutMs: number
  } | null
  /** Whether cached grants count only while a source says that it tells of every change. */
  readonly continuous: boolean
  readonly roles: RoleRepository
  /** Told how many questions the cache answered, and how many it did not. */
  readonly onReads: (hits: number, misses: number) => void
  /** Told of each question that is answered by what another call was reading already. */
  readonly onJoin: () => void
}

/** Grants kept in this process when there is no Redis. */
const MOST_CACHED_GRANTS = 100_000

/** The permission service over its cache, and how far that is believed. Nothing is connected to. */
export function createPermissions(options: PermissionsOptions) {
  const { definitions, dynamic, roles, onJoin } = options
  const trust = new Trust({ continuous: options.continuous })
  const cache = new TrustedCache(createCache(options), trust, options.onReads)
  const service = new CachingPermissionService({ roles, cache, definitions, dynamic, onJoin })
  return { service, cache, trust }
}

function createCache({
  redis,
  ttlSeconds,
  definitions,
  dynamic,
  origin,
  ...told
}: PermissionsOptions): PermissionCache {
  if (!redis) return new MemoryPermissionCache({ ttlSeconds, maxEntries: MOST_CACHED_GRANTS })
  const { url, timeoutMs, keyPrefix: prefix } = redis
  const version = versionOf(definitions, dynamic, origin)
  const client = createRedis(url, { onTrouble: told.onTrouble, timeoutMs })
  return new RedisPermissionCache(client, { ...told, prefix, ttlSeconds, timeoutMs, version })
}
