import { createRedis } from '../redis/client.ts'
import type { RedisAccess } from '../redis/options.ts'
import type { PermissionCache } from './cache.ts'
import { versionOf } from './definitions.ts'
import { MemoryPermissionCache } from './memory-cache.ts'
import { RedisPermissionCache, type RedisPermissionCacheOptions } from './redis-cache.ts'
import { CachingPermissionService, type CachingPermissionServiceOptions } from './service.ts'
import { Trust } from './trust.ts'

export interface PermissionsOptions
  extends Omit<CachingPermissionServiceOptions, 'cache' | 'trust'>,
    Pick<RedisPermissionCacheOptions, 'ttlSeconds' | 'onTrouble' | 'onRest' | 'onAttempt'> {
  /** What tells this Better Auth from others whose gateways use the same Redis and prefix. */
  readonly origin: readonly string[]
  /** `null`: grants are kept in this process. */
  readonly redis: (RedisAccess & { readonly url: string; readonly keyPrefix: string }) | null
  /** Whether cached grants count only while a source says that it tells of every change. */
  readonly continuous: boolean
  /** Told when Redis can be connected to again after trouble was told of. */
  readonly onBack: () => void
}

/** Grants kept in this process when there is no Redis. */
const MOST_CACHED_GRANTS = 100_000

/** The permission service over its cache, and how far that is believed. Nothing is connected to. */
export function createPermissions(options: PermissionsOptions) {
  const trust = new Trust({ continuous: options.continuous })
  const cache = createCache(options)
  const service = new CachingPermissionService({ ...options, cache, trust })
  return { service, cache, trust }
}

function createCache({
  redis,
  ttlSeconds,
  definitions,
  dynamic,
  origin,
  onBack,
  ...told
}: PermissionsOptions): PermissionCache {
  if (!redis) return new MemoryPermissionCache({ ttlSeconds, maxEntries: MOST_CACHED_GRANTS })
  const { url, timeoutMs, keyPrefix: prefix } = redis
  const version = versionOf(definitions, dynamic, origin)
  const client = createRedis(url, { ...redis, onTrouble: told.onTrouble, onBack })
  return new RedisPermissionCache(client, { ...told, prefix, ttlSeconds, timeoutMs, version })
}
