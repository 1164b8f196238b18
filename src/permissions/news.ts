import type { Config } from '../config/config.ts'
import type { InvalidationSource, InvalidationTarget } from '../domain/invalidation.ts'
import { PostgresNotifications } from '../postgres/postgres-notifications.ts'
import { createRedis } from '../redis/client.ts'
import { PendingTargets } from './pending-targets.ts'
import { RedisAnnouncements } from './redis-announcements.ts'
import type { CachingPermissionService } from './service.ts'
import type { Trust } from './trust.ts'

/** Changes are passed on no faster than this, each once however often it is told. */
const COALESCE_MS = 20
const RETRY_MS = 1000
const MOST_WAITING = 10_000

/** Has permissions forgotten as changes of them are told, by whichever source is configured. */
export function listenForChanges(
  { database, redis, permissions: { events } }: Pick<Config, 'database' | 'redis' | 'permissions'>,
  permissions: CachingPermissionService,
  trust: Trust,
  report: (what: string) => (error: unknown) => void,
): InvalidationSource {
  const pending = new PendingTargets({
    deliver: async (targets) => {
      try {
        await Promise.all(targets.map((target) => permissions.invalidate(target)))
        trust.settled(true)
      } catch (error) {
        trust.settled(false)
        throw error
      }
    },
    intervalMs: COALESCE_MS,
    retryMs: RETRY_MS,
    most: MOST_WAITING,
    onTrouble: report('The cache cannot be told of changes.'),
    onDropped: () => notifications?.reset(),
  })
  const changed = (target: InvalidationTarget) => pending.add(target)
  const onTrouble = report('News of changes cannot be received.')
  const notifications =
    events === 'postgres'
      ? new PostgresNotifications({
          url: database.listenUrl,
          listener: { changed, heard: (news) => trust.heard(news), lost: () => trust.lost() },
          onTrouble,
        })
      : null
  const announcements =
    events === 'redis' && redis
      ? new RedisAnnouncements(createRedis(redis.url, { timeoutMs: redis.timeoutMs, onTrouble }), {
          prefix: redis.keyPrefix,
          listener: { changed },
        })
      : null
  return {
    close: async () => {
      await (notifications ?? announcements)?.close()
      pending.close()
    },
  }
}
