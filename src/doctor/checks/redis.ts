import { randomUUID } from 'node:crypto'
import type { Config } from '../../config/config.ts'
import { createRedis, type RedisClient } from '../../redis/client.ts'
import { createTimeout } from '../../redis/guard.ts'
import { describeRedisTrouble } from '../../redis/trouble.ts'
import type { Finding } from '../finding.ts'

type Found = Omit<Finding, 'check'>

/**
 * Reachable, of which version, how fast; and whether who may write there is somebody who may grant permissions.
 * Whatever Redis refuses is a finding.
 */
export async function checkRedis({
  redis: config,
  limits,
}: Pick<Config, 'redis'> & Counting): Promise<readonly Found[]> {
  if (config === null)
    return [{ level: 'info', message: 'REDIS_URL is not set: each process caches for itself.' }]
  let lost: Error | undefined
  const redis = createRedis(config.url, {
    ...config,
    timeoutMs: Math.max(config.timeoutMs, LEAST_TIMEOUT_MS),
    onTrouble: (error) => {
      lost ??= error
    },
  })
  const findings: Found[] = []
  try {
    await connect(redis)
    lost = undefined
    const where = { ...config, counts: (limits?.ratePerMinute ?? null) !== null }
    const parts = [version, latency, eviction, needs, rights, sharing]
    for (const look of parts) findings.push(...(await look(redis, where)))
    return findings
  } catch (error) {
    const message = `${describeRedisTrouble(lost ?? error, config.url)} Until then permissions are not cached.`
    return [...findings, { level: 'error', message }]
  } finally {
    redis.disconnect()
  }
}

/** A slow answer is a finding of its own, and should not end the rest. */
const LEAST_TIMEOUT_MS = 2000
const LONGEST_CONNECTING_MS = 5000

async function connect(redis: RedisClient): Promise<void> {
  const bound = createTimeout(LONGEST_CONNECTING_MS)
  const connecting = redis.connect()
  connecting.catch(() => {})
  try {
    await bound.execute(() => connecting)
  } catch (error) {
    // The client waits for a server that loads its data, and does not say so.
    throw redis.commands.status === 'connect' ? new Error('LOADING') : error
  }
  await redis.commands.ping()
}

interface Counting {
  readonly limits?: Pick<Config['limits'], 'ratePerMinute'>
}

type Where = NonNullable<Config['redis']> & {
  /** Whether requests are counted there as well. */
  readonly counts: boolean
}

/** `undefined` where the user may not ask. */
async function ask(redis: RedisClient, command: string, ...words: string[]): Promise<unknown> {
  try {
    return await redis.commands.call(command, ...words)
  } catch (error) {
    if (error instanceof Error && /NOPERM|unknown command|CROSSSLOT/i.test(error.message))
      return undefined
    throw error
  }
}

async function version(redis: RedisClient): Promise<readonly Found[]> {
  const hello = await ask(redis, 'HELLO')
  const at = Array.isArray(hello) ? hello.indexOf('version') : -1
  const found = at === -1 ? 'of unknown version' : String((hello as unknown[])[at + 1])
  return [{ level: 'info', message: `Redis ${found} answers.` }]
}

const PINGS = 5

async function latency(redis: RedisClient, { timeoutMs }: Where): Promise<readonly Found[]> {
  const times: number[] = []
  for (let i = 0; i < PINGS; i++) {
    const before = performance.now()
    await redis.commands.ping()
    times.push(performance.now() - before)
  }
  const median = times.sort((a, b) => a - b)[Math.floor(PINGS / 2)] ?? 0
  const message = `An answer takes ${median.toFixed(1)} ms`
  if (median < timeoutMs / 2) return [{ level: 'info', message: `${message}.` }]
  return [
    {
      level: 'warning',
      message: `${message}, close to REDIS_TIMEOUT_MS (${timeoutMs}): put Redis nearer, or the cache is passed by.`,
    },
  ]
}

async function eviction(redis: RedisClient): Promise<readonly Found[]> {
  const info = await ask(redis, 'INFO', 'memory')
  if (typeof info !== 'string') return []
  const policy = /^maxmemory_policy:(\S+)/m.exec(info)?.[1] ?? 'unknown'
  const limited = !/^maxmemory:0\b/m.test(info)
  if (limited && policy === 'noeviction')
    return [
      {
        level: 'warning',
        message:
          'Redis evicts nothing (noeviction) and its memory is limited: once full it takes no more permissions, nor news of changes. Set maxmemory-policy to volatile-ttl, which takes permissions before the news of changes.',
      },
    ]
  if (!limited) return [{ level: 'info', message: 'Memory is not limited, so nothing is evicted.' }]
  const bound = 'Where news of a change is evicted, the age of cached permissions is their bound.'
  return [{ level: 'info', message: `Eviction: ${policy}. ${bound}` }]
}

/** Writes that change nothing: SET with XX writes only to a key that exists, and none has this name. */
async function rights(redis: RedisClient, { keyPrefix: prefix }: Where): Promise<readonly Found[]> {
  const [outside, config] = await Promise.all([
    isPermitted(redis, 'SET', `${randomUUID()}`, '', 'XX'),
    isPermitted(redis, 'CONFIG', 'GET', 'maxmemory'),
  ])
  const may = [
    ...(outside ? [`write keys that do not begin with ${prefix}`] : []),
    ...(config ? ['run commands of administrators, such as CONFIG'] : []),
  ]
  if (may.length === 0)
    return [{ level: 'info', message: `The user of REDIS_URL may write below ${prefix} alone.` }]
  return [
    {
      level: 'warning',
      message: `The user of REDIS_URL may ${may.join(' and ')}. Whoever writes to this Redis can grant permissions: give the gateway, and everybody else there, a user of their own, as docs/permissions.md shows.`,
    },
  ]
}

/** What the cache sends, and whoever counts requests, about a key that nobody has. */
async function needs(
  redis: RedisClient,
  { keyPrefix: prefix, counts }: Where,
): Promise<readonly Found[]> {
  const key = `${prefix}${randomUUID()}`
  const commands = [
    ['GET', key],
    ['MGET', key],
    ['SET', key, '', 'XX'],
    ['EVAL', 'return 1', '1', key],
    ...(counts ? countingCommands(key) : []),
  ] as const
  const permitted = await Promise.all(
    commands.map(([command, ...words]) => isPermitted(redis, command, ...words)),
  )
  const lacking = commands.filter((_, i) => !permitted[i]).map(([command]) => command)
  if (lacking.length === 0) return []
  return [
    {
      level: 'error',
      message: `The user of REDIS_URL may not run ${lacking.join(', ')} on keys of the gateway: give it the commands that docs/permissions.md lists, or ${counts ? 'permissions are not cached and each process counts requests for itself' : 'permissions are not cached'}.`,
    },
  ]
}

/** None of them has an effect: "none" is no number to add, and there is no such key. */
function countingCommands(key: string) {
  return [
    ['INCRBY', key, 'none'],
    ['PTTL', key],
    ['EXPIRE', key, '1'],
  ] as const
}

async function isPermitted(redis: RedisClient, command: string, ...words: string[]) {
  try {
    return (await ask(redis, command, ...words)) !== undefined
  } catch (error) {
    if (error instanceof Error && /not an integer/.test(error.message)) return true
    throw error
  }
}

const KEYS_TRIED = 20

async function sharing(
  redis: RedisClient,
  { keyPrefix: prefix }: Where,
): Promise<readonly Found[]> {
  const keys = await Promise.all(Array.from({ length: KEYS_TRIED }, () => ask(redis, 'RANDOMKEY')))
  if (keys.every((key) => typeof key !== 'string' || key.startsWith(prefix))) return []
  return [
    {
      level: 'warning',
      message: `Others keep keys in this Redis as well: see to it that none of them may write below ${prefix}.`,
    },
  ]
}
