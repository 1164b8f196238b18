import type { InvalidationListener, InvalidationSource } from '../domain/invalidation.ts'
import type { RedisClient } from '../redis/client.ts'
import { announcementChannel, decodeTarget } from './announcement.ts'

export interface RedisAnnouncementsOptions {
  readonly prefix: string
  readonly listener: InvalidationListener
}

const HEARTBEAT_MS = 5000

/**
 * Listens on a connection of its own, which it closes. Redis keeps no messages for those who are away, so whoever
 * publishes must also set the epochs, as the plug-in for Better Auth does, or live with the cache's TTL.
 */
export class RedisAnnouncements implements InvalidationSource {
  readonly #redis: RedisClient
  readonly #heartbeat: NodeJS.Timeout

  constructor(redis: RedisClient, { prefix, listener }: RedisAnnouncementsOptions) {
    this.#redis = redis
    redis.on('message', (_channel: string, text: string) => {
      const target = decodeTarget(text)
      if (target) listener.changed(target)
    })
    redis.on('ready', () => {
      redis.commands.subscribe(announcementChannel(prefix)).catch(() => {})
    })
    redis.connect().catch(() => {})
    // Without a question nobody notices that the other end vanished.
    this.#heartbeat = setInterval(() => {
      redis.commands.ping().catch(() => {})
    }, HEARTBEAT_MS)
    this.#heartbeat.unref()
  }

  async close(): Promise<void> {
    clearInterval(this.#heartbeat)
    this.#redis.disconnect()
  }
}
