import type { InvalidationListener, InvalidationSource } from '../domain/invalidation.ts'
import type { RedisClient } from '../redis/client.ts'
import { announcementChannel, decodeTarget } from './announcement.ts'

const HEARTBEAT_MS = 5000

/**
 * Listens on a connection of its own, which it closes. Redis keeps no messages for those who are away, so whoever
 * publishes must also set the epochs, as the plug-in for Better Auth does, or live with the cache's TTL.
 */
export function hearAnnouncements(
  redis: RedisClient,
  { prefix, listener }: { readonly prefix: string; readonly listener: InvalidationListener },
): InvalidationSource {
  redis.on('message', (_channel: string, text: string) => {
    const target = decodeTarget(text)
    if (target) listener.changed(target)
  })
  redis.on('ready', () => {
    redis.subscribe(announcementChannel(prefix)).catch(() => {})
  })
  redis.connect().catch(() => {})
  // Without a question nobody notices that the other end vanished.
  const heartbeat = setInterval(() => {
    redis.ping().catch(() => {})
  }, HEARTBEAT_MS).unref()
  return {
    close: async () => {
      clearInterval(heartbeat)
      redis.disconnect()
    },
  }
}
