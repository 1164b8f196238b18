import type { NoticeListener } from './domain/changes.ts'
import type { IdentityConfig } from './identity.ts'
import { createForgetting } from './permissions/news.ts'
import { RedisAnnouncements } from './permissions/redis-announcements.ts'
import { PostgresNotifications } from './postgres/postgres-notifications.ts'
import { describeUnreachable } from './postgres/unreachable.ts'
import { createRedis } from './redis/client.ts'
import { whyOf } from './redis/trouble.ts'
import type { Telemetry } from './telemetry/telemetry.ts'

/** Whom to tell of changes: the cache of permissions, and those who have subscribed. */
interface Told
  extends Omit<Parameters<typeof createForgetting>[0], `on${string}`>,
    Pick<Telemetry, 'trouble'> {
  readonly notices: NoticeListener | undefined
}

/** What tells of changes, by whichever source is configured. Nothing is connected to before the start. */
export function createNews(
  { database, redis, permissions: { events } }: IdentityConfig,
  { notices, ...to }: Told,
) {
  const listener = createForgetting({
    ...to,
    onTrouble: to.trouble('The cache cannot be told of changes.'),
    onDropped: () => notifications?.reset(),
  })
  const onTrouble = to.trouble(
    'News of changes cannot be received.',
    events === 'redis'
      ? whyOf(redis)
      : (error) => describeUnreachable(error, database.listenUrl, 'DATABASE_LISTEN_URL'),
  )
  let notifications: PostgresNotifications | undefined
  let announcements: RedisAnnouncements | undefined
  return {
    start: () => {
      if (events === 'postgres')
        notifications = new PostgresNotifications({
          url: database.listenUrl,
          listener,
          notices,
          onTrouble,
        })
      if (events === 'redis' && redis)
        announcements = new RedisAnnouncements(createRedis(redis.url, { ...redis, onTrouble }), {
          prefix: redis.keyPrefix,
          listener,
          notices,
        })
    },
    close: async () => {
      await (notifications ?? announcements)?.close()
      listener.close()
    },
  }
}
