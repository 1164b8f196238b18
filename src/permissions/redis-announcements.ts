import { randomUUID } from 'node:crypto'
import type { Notice, NoticeListener } from '../domain/changes.ts'
import type { InvalidationListener, InvalidationSource } from '../domain/invalidation.ts'
import type { RedisClient } from '../redis/client.ts'
import { type Announcement, announcementChannel, decodeAnnouncement } from './announcement.ts'

export interface RedisAnnouncementsOptions {
  readonly prefix: string
  readonly listener: InvalidationListener
  /** Absent: nobody is to be told what has changed. */
  readonly notices?: NoticeListener | undefined
}

const HEARTBEAT_MS = 5000

/**
 * Listens on a connection of its own, which it closes. Redis keeps no messages for those who are away, so whoever
 * publishes must also set the epochs, as the plug-in for Better Auth does, or live with the cache's TTL.
 */
export class RedisAnnouncements implements InvalidationSource {
  readonly #redis: RedisClient
  readonly #options: RedisAnnouncementsOptions
  readonly #heartbeat: NodeJS.Timeout
  /** Redis has no clock that all gateways could ask, so positions are those of this process alone. */
  readonly #clock = randomUUID()
  /** Since when messages come; `null`: they do not. */
  #sinceMs: number | null = null
  #isSubscribed = false
  /** How often messages may have gone missing: what was asked before says nothing of the time after. */
  #losses = 0

  constructor(redis: RedisClient, options: RedisAnnouncementsOptions) {
    this.#redis = redis
    this.#options = options
    redis.on('message', (_channel: string, text: string) => {
      const announcement = decodeAnnouncement(text)
      if (announcement) this.#tell(announcement)
    })
    redis.on('ready', this.#subscribe)
    redis.on('close', () => this.#lose())
    // A Cluster listens on one of its nodes, and goes on at another when that one is gone.
    redis.on('+subscriber', this.#subscribe)
    redis.connect().catch(() => {})
    // Without a question nobody notices that the other end vanished.
    this.#heartbeat = setInterval(() => this.#ask(), HEARTBEAT_MS)
    this.#heartbeat.unref()
  }

  async close(): Promise<void> {
    clearInterval(this.#heartbeat)
    this.#redis.disconnect()
  }

  #tell({ organizationId, userId, ...others }: Announcement): void {
    const { listener, notices } = this.#options
    if (organizationId !== undefined || userId !== undefined)
      listener.changed({ organizationId, userId })
    const { within, account, sessionsOf, again } = others
    if (again) notices?.toldOfAll()
    notices?.told({
      ...named('users', userId, account),
      ...named('sessions', sessionsOf),
      ...named('organizations', within),
      ...named('everyoneIn', organizationId),
    })
  }

  readonly #subscribe = (): void => {
    this.#lose()
    const losses = this.#losses
    const channel = announcementChannel(this.#options.prefix)
    this.#redis.commands.subscribe(channel).then(
      () => {
        this.#isSubscribed = losses === this.#losses
        this.#hear(Date.now(), losses)
      },
      () => {},
    )
  }

  #ask(): void {
    if (!this.#isSubscribed && this.#redis.commands.status === 'ready') this.#subscribe()
    const askedMs = Date.now()
    const losses = this.#losses
    this.#redis.commands.ping().then(
      () => this.#hear(askedMs, losses),
      () => this.#lose(),
    )
  }

  #hear(untilMs: number, losses: number): void {
    if (!this.#isSubscribed || losses !== this.#losses) return
    this.#sinceMs ??= untilMs
    this.#options.notices?.heard({ clock: this.#clock, sinceMs: this.#sinceMs, untilMs })
  }

  #lose(): void {
    this.#losses += 1
    this.#isSubscribed = false
    this.#sinceMs = null
    this.#options.notices?.lost()
  }
}

function named(list: keyof Notice, ...ids: readonly (string | undefined)[]): Notice {
  const known = ids.filter((id) => id !== undefined)
  return known.length === 0 ? {} : { [list]: known }
}
