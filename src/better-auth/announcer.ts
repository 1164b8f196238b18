import { randomUUID } from 'node:crypto'
import {
  type Announcement,
  announcementChannel,
  EPOCH_SECONDS,
  encodeAnnouncement,
} from '../permissions/announcement.ts'
import { epochKeys } from '../permissions/keys.ts'
import { createPendingTargets } from '../permissions/pending-targets.ts'
import { createRedis, type RedisClient } from '../redis/client.ts'

export interface AnnouncerOptions {
  /** The Redis of the gateway, as its REDIS_URL. */
  readonly redisUrl: string
  /** As the text of its REDIS_CA_FILE. */
  readonly redisCa?: string | undefined
  /** As its REDIS_SENTINEL_PASSWORD. */
  readonly redisSentinelPassword?: string | undefined
  /** As its REDIS_KEY_PREFIX. */
  readonly keyPrefix: string
  /** Told once when Redis fails, and not again before it answered. */
  readonly onTrouble: (error: Error) => void
}

const TIMEOUT_MS = 1000
const RETRY_MS = 1000
const MOST_WAITING = 10_000

/**
 * Tells gateways of changes: by new epochs, which last, so that a gateway that was away sees them; and on a channel, for
 * those that listen. Nobody waits for Redis: while it fails, changes wait here, and are told when it is back.
 */
export class Announcer {
  readonly #redis: RedisClient
  readonly #prefix: string
  readonly #pending: ReturnType<typeof createPendingTargets<Announcement>>

  constructor({ redisUrl, keyPrefix, onTrouble, ...options }: AnnouncerOptions) {
    this.#prefix = keyPrefix
    this.#redis = createRedis(redisUrl, {
      timeoutMs: TIMEOUT_MS,
      ca: options.redisCa,
      sentinelPassword: options.redisSentinelPassword,
      onTrouble,
    })
    this.#pending = createPendingTargets<Announcement>({
      deliver: (targets) => this.#deliver(targets),
      intervalMs: 1,
      retryMs: RETRY_MS,
      most: MOST_WAITING,
      onTrouble,
    })
  }

  /** So that the first change need not wait for a connection. */
  connect(): void {
    this.#redis.connect().catch(() => {})
  }

  announce(announcement: Announcement): void {
    this.#pending.add(announcement)
  }

  close(): void {
    this.#pending.close()
    this.#redis.disconnect()
  }

  async #deliver(announcements: readonly Announcement[]): Promise<void> {
    const epoch = randomUUID()
    const keys = new Set(announcements.flatMap((one) => epochKeys(this.#prefix, one)))
    const { commands } = this.#redis
    await Promise.all([...keys].map((key) => commands.set(key, epoch, 'EX', EPOCH_SECONDS)))
    const channel = announcementChannel(this.#prefix)
    const texts = announcements.map(encodeAnnouncement)
    await Promise.all(texts.map((text) => commands.publish(channel, text)))
  }
}
