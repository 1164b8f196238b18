import { isIP } from 'node:net'
import { checkServerIdentity, type PeerCertificate } from 'node:tls'
import type { ClusterOptions, RedisOptions } from 'ioredis'
import type { RedisAddress } from './address.ts'

/** What a REDIS_URL does not say. */
export interface RedisAccess {
  /** The longest a command may wait for its reply. */
  readonly timeoutMs: number
  /** Certificates of the authorities to trust with TLS, instead of those that Node.js trusts. */
  readonly ca?: string | undefined
  /** Where sentinels want one; the user and password of the URL are for the servers. */
  readonly sentinelPassword?: string | undefined
}

const CONNECT_TIMEOUT_MS = 2000
/** A peer that vanished without closing its connection is given up after this long without a reply. */
const SILENCE_MS = 5000
const LONGEST_RECONNECT_MS = 2000

export function serverOptions(address: RedisAddress, access: RedisAccess) {
  const { nodes, master } = address
  const [node] = nodes
  return {
    ...shared,
    ...connection(address, access),
    ...(master === undefined ? node : sentinels(address, access)),
    retryStrategy: reconnectDelayMs,
  } satisfies RedisOptions
}

export function clusterOptions(address: RedisAddress, access: RedisAccess) {
  return {
    ...shared,
    enableAutoPipelining: false,
    clusterRetryStrategy: reconnectDelayMs,
    slotsRefreshTimeout: CONNECT_TIMEOUT_MS,
    // Names stay names, because certificates are for them.
    dnsLookup: (name, answer) => answer(null, name),
    // That a Cluster is down is what it answers to commands.
    enableReadyCheck: false,
    retryDelayOnClusterDown: 0,
    redisOptions: connection(address, access),
  } satisfies ClusterOptions
}

/** Commands of one turn of the event loop travel together, but for reads of grants, of which a turn has one as it is. */
const shared = {
  lazyConnect: true,
  enableOfflineQueue: false,
  enableAutoPipelining: true,
  autoPipeliningIgnoredCommands: ['mget'],
} satisfies RedisOptions & ClusterOptions

function connection(address: RedisAddress, { timeoutMs, ca }: RedisAccess) {
  const { username, password, db, family } = address
  return {
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
    ...(address.tls ? { tls: encryption(address, ca) } : {}),
    db,
    family,
    connectTimeout: CONNECT_TIMEOUT_MS,
    commandTimeout: timeoutMs,
    socketTimeout: SILENCE_MS,
    maxRetriesPerRequest: 0,
    disableClientInfo: true,
    autoResendUnfulfilledCommands: false,
    // After a failover the same name may lead to the new primary, while the connection still leads to the old one.
    reconnectOnError: ({ message }: Error) => /\b(READONLY|MASTERDOWN)\b/.test(message),
  } satisfies RedisOptions
}

/** For a connection to one of the sentinels. */
export function sentinelOptions(address: RedisAddress, { ca, sentinelPassword }: RedisAccess) {
  return {
    ...(sentinelPassword === undefined ? {} : { password: sentinelPassword }),
    ...(address.tls ? { tls: encryption(address, ca) } : {}),
    family: address.family,
    connectTimeout: CONNECT_TIMEOUT_MS,
    disableClientInfo: true,
    retryStrategy: reconnectDelayMs,
  } satisfies RedisOptions
}

function sentinels(address: RedisAddress, access: RedisAccess) {
  const { password: sentinelPassword, tls: sentinelTLS } = sentinelOptions(address, access)
  return {
    sentinels: [...address.nodes],
    name: address.master ?? '',
    ...(sentinelPassword === undefined ? {} : { sentinelPassword }),
    ...(sentinelTLS === undefined ? {} : { sentinelTLS, enableTLSForSentinelMode: true }),
    sentinelCommandTimeout: CONNECT_TIMEOUT_MS,
    sentinelRetryStrategy: reconnectDelayMs,
  } satisfies RedisOptions
}

/** Servers may announce each other by number, while their certificates are for the names that were given. */
function encryption({ nodes }: RedisAddress, ca: string | undefined) {
  return {
    ...(ca === undefined ? {} : { ca }),
    checkServerIdentity: (host: string, certificate: PeerCertificate) => {
      const names = isIP(host) ? [host, ...nodes.map((node) => node.host)] : [host]
      const refusals = names.map((name) => checkServerIdentity(name, certificate))
      return refusals.includes(undefined) ? undefined : refusals[0]
    },
  }
}

function reconnectDelayMs(attempt: number): number {
  return Math.min(attempt * 50, LONGEST_RECONNECT_MS)
}
