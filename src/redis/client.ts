import { Cluster, type ClusterOptions, Redis, type RedisOptions } from 'ioredis'

export type RedisClient = Redis | Cluster

export interface RedisClientOptions {
  /** The longest a command may wait for its reply. */
  readonly timeoutMs: number
  /** Certificates of the authorities to trust with `rediss://`, instead of those that Node.js trusts. */
  readonly ca?: string | undefined
  /** Told once when the connection is lost or cannot be made, and not again before it was ready. */
  readonly onTrouble: (error: Error) => void
}

const CONNECT_TIMEOUT_MS = 2000
/** A peer that vanished without closing its connection is given up after this long without a reply. */
const SILENCE_MS = 5000
const LONGEST_RECONNECT_MS = 2000

/**
 * `redis://` or `rediss://`; several addresses separated by commas are nodes of one Redis Cluster, with the user,
 * password and TLS of the first. Connects on the first command, which fails, as every command does while there is no
 * connection: nothing is queued.
 */
export function createRedis(url: string, options: RedisClientOptions): RedisClient {
  const [first = '', ...others] = url.split(',').map((address) => address.trim())
  const redis =
    others.length === 0
      ? new Redis(first, {
          ...shared,
          ...connection(options),
          ...encryption(first, options),
          retryStrategy: reconnectDelayMs,
        })
      : new Cluster([first, ...others], {
          ...shared,
          clusterRetryStrategy: reconnectDelayMs,
          slotsRefreshTimeout: CONNECT_TIMEOUT_MS,
          // Names stay names, because certificates are for them.
          dnsLookup: (name, answer) => answer(null, name),
          redisOptions: {
            ...connection(options),
            ...credentials(first),
            ...encryption(first, options),
          },
        })
  let inTrouble = false
  redis.on('error', (error: Error) => {
    if (!inTrouble) options.onTrouble(error)
    inTrouble = true
    // The client would go on in database 0, among the keys of somebody else.
    if (isRefusedSelect(error) && redis.status === 'connect') redis.disconnect(true)
  })
  redis.on('ready', () => {
    inTrouble = false
  })
  return redis
}

/** Commands of one turn of the event loop travel together. */
const shared = {
  lazyConnect: true,
  enableOfflineQueue: false,
  enableAutoPipelining: true,
} satisfies RedisOptions & ClusterOptions

function connection(options: RedisClientOptions) {
  return {
    connectTimeout: CONNECT_TIMEOUT_MS,
    commandTimeout: options.timeoutMs,
    socketTimeout: SILENCE_MS,
    maxRetriesPerRequest: 0,
    autoResendUnfulfilledCommands: false,
    // After a failover the same name may lead to the new primary, while the connection still leads to the old one.
    reconnectOnError: ({ message }) => /\b(READONLY|MASTERDOWN)\b/.test(message),
  } satisfies RedisOptions
}

function credentials(address: string) {
  const { username, password } = new URL(address)
  return {
    ...(username === '' ? {} : { username: decodeURIComponent(username) }),
    ...(password === '' ? {} : { password: decodeURIComponent(password) }),
  } satisfies RedisOptions
}

function encryption(address: string, { ca }: RedisClientOptions) {
  if (new URL(address).protocol !== 'rediss:') return {}
  return { tls: ca === undefined ? {} : { ca } } satisfies RedisOptions
}

function isRefusedSelect(error: Error & { readonly command?: { readonly name: string } }): boolean {
  return error.command?.name === 'select'
}

function reconnectDelayMs(attempt: number): number {
  return Math.min(attempt * 50, LONGEST_RECONNECT_MS)
}
