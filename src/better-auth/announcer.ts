import { randomUUID } from 'node:crypto'
import type { InvalidationTarget } from '../domain/invalidation.ts'
import { announcementChannel, EPOCH_SECONDS, encodeTarget } from '../permissions/announcement.ts'
import { epochKeys } from '../permissions/keys.ts'
import { createPendingTargets } from '../permissions/pending-targets.ts'
import { createRedis } from '../redis/client.ts'

const TIMEOUT_MS = 1000
const RETRY_MS = 1000
const MOST_WAITING = 10_000

/**
 * Tells gateways of changes: by new epochs, which last, so that a gateway that was away sees them; and on a channel, for
 * those that listen. Nobody waits for Redis: while it fails, changes wait here, and are told when it is back.
 */
export function createAnnouncer({
  redisUrl,
  keyPrefix,
  onTrouble,
}: {
  /** The Redis of the gateway, as its REDIS_URL. */
  readonly redisUrl: string
  /** As its REDIS_KEY_PREFIX. */
  readonly keyPrefix: string
  /** Told once when Redis fails, and not again before it answered. */
  readonly onTrouble: (error: Error) => void
}) {
  const redis = createRedis(redisUrl, { timeoutMs: TIMEOUT_MS, onTrouble })
  const deliver = async (targets: readonly InvalidationTarget[]) => {
    const epoch = randomUUID()
    const keys = new Set(targets.flatMap((target) => epochKeys(keyPrefix, target)))
    await Promise.all([...keys].map((key) => redis.set(key, epoch, 'EX', EPOCH_SECONDS)))
    const channel = announcementChannel(keyPrefix)
    await Promise.all(targets.map((target) => redis.publish(channel, encodeTarget(target))))
  }
  const pending = createPendingTargets({
    deliver,
    intervalMs: 1,
    retryMs: RETRY_MS,
    most: MOST_WAITING,
    onTrouble,
  })
  return {
    /** So that the first change need not wait for a connection. */
    connect: () => void redis.connect().catch(() => {}),
    announce: pending.add,
    close: () => {
      pending.close()
      redis.disconnect()
    },
  }
}
