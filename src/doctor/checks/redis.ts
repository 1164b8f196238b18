import { randomUUID } from 'node:crypto'
import type { Config } from '../../config/config.ts'
import { createRedis, type RedisClient } from '../../redis/client.ts'
import type { Finding } from '../finding.ts'

type Found = Omit<Finding, 'check'>

/** Reachable, of which version, how fast; and whether who may write there is somebody who may grant permissions. */
export async function checkRedis({
  redis: config,
}: Pick<Config, 'redis'>): Promise<readonly Found[]> {
  if (config === null)
    return [{ level: 'info', message: 'REDIS_URL is not set: each process caches for itself.' }]
  let trouble: Error | undefined
  const redis = createRedis(config.url, {
    timeoutMs: Math.max(config.timeoutMs, LEAST_TIMEOUT_MS),
    onTrouble: (error) => {
      trouble ??= error
    },
  })
  try {
    await redis.connect()
    await redis.ping()
  } catch (error) {
    redis.disconnect()
    return [{ level: 'error', message: unreachable(trouble ?? error, config.url) }]
  }
  try {
    return [
      ...(await version(redis)),
      ...(await latency(redis, config.timeoutMs)),
      ...(await eviction(redis)),
      ...(await needs(redis, config.keyPrefix)),
      ...(await rights(redis, config.keyPrefix)),
      ...(await sharing(redis, config.keyPrefix)),
    ]
  } finally {
    redis.disconnect()
  }
}

/** A slow answer is a finding of its own, and should not end the rest. */
const LEAST_TIMEOUT_MS = 2000

function unreachable(error: unknown, url: string): string {
  const hosts = url.split(',').map((node) => new URL(node.trim()).host)
  const { message = '', code } = (error ?? {}) as { message?: string; code?: string }
  const where = `Redis at ${hosts.join(', ')}`
  if (/WRONGPASS|invalid password/.test(message))
    return `${where} refuses the user or the password of REDIS_URL: correct it, or permissions are not cached.`
  if (/NOAUTH/.test(message))
    return `${where} wants a password: add it to REDIS_URL, or permissions are not cached.`
  if (/NOPERM/.test(message))
    return `${where} does not let this user PING: give it the commands that README.md lists under Permissions.`
  const why = code === 'ENOTFOUND' ? 'there is no such host' : 'it does not answer'
  return `${where} cannot be used because ${why}: check REDIS_URL, or permissions are not cached.`
}

/** `undefined` where the user may not ask. */
async function ask(redis: RedisClient, command: string, ...words: string[]): Promise<unknown> {
  try {
    return await redis.call(command, ...words)
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

async function latency(redis: RedisClient, timeoutMs: number): Promise<readonly Found[]> {
  const times: number[] = []
  for (let i = 0; i < PINGS; i++) {
    const before = performance.now()
    await redis.ping()
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
async function rights(redis: RedisClient, prefix: string): Promise<readonly Found[]> {
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
      message: `The user of REDIS_URL may ${may.join(' and ')}. Whoever writes to this Redis can grant permissions: give the gateway, and everybody else there, a user of their own, as README.md shows under Permissions.`,
    },
  ]
}

/** What the cache sends, about a key that nobody has. */
async function needs(redis: RedisClient, prefix: string): Promise<readonly Found[]> {
  const key = `${prefix}${randomUUID()}`
  const commands = [
    ['GET', key],
    ['MGET', key],
    ['SET', key, '', 'XX'],
    ['EVAL', 'return 1', '1', key],
  ] as const
  const permitted = await Promise.all(
    commands.map(([command, ...words]) => isPermitted(redis, command, ...words)),
  )
  const lacking = commands.filter((_, i) => !permitted[i]).map(([command]) => command)
  if (lacking.length === 0) return []
  return [
    {
      level: 'error',
      message: `The user of REDIS_URL may not run ${lacking.join(', ')} on keys of the gateway: give it the commands that README.md lists under Permissions, or permissions are not cached.`,
    },
  ]
}

async function isPermitted(redis: RedisClient, command: string, ...words: string[]) {
  return (await ask(redis, command, ...words)) !== undefined
}

const KEYS_TRIED = 20

async function sharing(redis: RedisClient, prefix: string): Promise<readonly Found[]> {
  const keys = await Promise.all(Array.from({ length: KEYS_TRIED }, () => ask(redis, 'RANDOMKEY')))
  if (keys.every((key) => typeof key !== 'string' || key.startsWith(prefix))) return []
  return [
    {
      level: 'warning',
      message: `Others keep keys in this Redis as well: see to it that none of them may write below ${prefix}.`,
    },
  ]
}
