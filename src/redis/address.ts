/** Where a REDIS_URL leads. */
export interface RedisAddress {
  /** One server, several nodes of a Redis Cluster or, where there is a `master`, sentinels. */
  readonly nodes: readonly { readonly host: string; readonly port: number }[]
  /** What the sentinels call the primary. */
  readonly master: string | undefined
  /** For servers, not for sentinels. */
  readonly username: string | undefined
  readonly password: string | undefined
  readonly tls: boolean
  readonly db: number
  /** 4 is IPv4, 6 is IPv6, and 0 is either. */
  readonly family: number
}

export const FORMS =
  'redis:// or rediss:// URLs, separated by commas, or redis-sentinel://host,host/name-of-master (rediss-sentinel:// with TLS)'

/** @throws Error whose message completes "REDIS_URL: …" and quotes nothing of it. */
export function parseRedisUrl(text: string): RedisAddress {
  const parts = text.split(',').map((part) => part.trim())
  const [scheme = ''] = /^rediss?(-sentinel)?:\/\//.exec(parts[0] ?? '') ?? []
  const sentinels = scheme.includes('-')
  // Sentinels are hosts of one URL, nodes of a Cluster have a URL each.
  const urls = parts.map((part) =>
    readUrl(sentinels && !part.includes('://') ? scheme + part : part, sentinels),
  )
  const path = urls.flatMap(({ pathname }) => pathname.split('/').filter((step) => step !== ''))
  const master = sentinels ? decode(path.shift() ?? '') : undefined
  if (master === '') throw new Error('must end in /name-of-master, as the sentinels call it')
  const parameters = urls.flatMap(({ searchParams }) => [...searchParams])
  const valuesOf = (name: string) =>
    parameters.flatMap(([key, value]) => (key === name ? value : []))
  if (parameters.some(([key]) => key !== 'db' && key !== 'family'))
    throw new Error(`may have no parameters but db and family${OR_ENCODED}`)
  const [first] = urls
  return {
    nodes: urls.map(({ hostname, port }) => ({
      host: hostname.replace(/^\[|\]$/g, '') || 'localhost',
      port: Number(port) || (sentinels ? 26_379 : 6379),
    })),
    master,
    username: decode(first?.username ?? '') || undefined,
    password: decode(first?.password ?? '') || undefined,
    tls: scheme.includes('rediss'),
    db: readDatabase([...path, ...valuesOf('db')], urls.length > 1 && !sentinels),
    family: readFamily(valuesOf('family')),
  }
}

const OR_ENCODED =
  ': in a user or password, write %, @, :, /, #, ? and , as %25, %40, %3A, %2F, %23, %3F and %2C'

function readUrl(part: string, sentinels: boolean): URL {
  const schemes = sentinels ? /^rediss?-sentinel:\/\// : /^rediss?:\/\//
  if (!schemes.test(part) || !URL.canParse(part)) throw new Error(`must be ${FORMS}${OR_ENCODED}`)
  const url = new URL(part)
  if (url.hash !== '') throw new Error(`may have no #${OR_ENCODED}`)
  return url
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    throw new Error(`has a % that begins no code${OR_ENCODED}`)
  }
}

function readDatabase(given: readonly string[], cluster: boolean): number {
  const [number = '0', ...others] = [...new Set(given)]
  if (others.length > 0 || !/^\d{1,9}$/.test(number))
    throw new Error(`must name its database by one number${OR_ENCODED}`)
  if (cluster && Number(number) !== 0)
    throw new Error(
      'several nodes are a Redis Cluster, which has no numbered databases: write no number after the port',
    )
  return Number(number)
}

function readFamily(given: readonly string[]): number {
  const family = given.at(-1) ?? '0'
  if (!['0', '4', '6'].includes(family)) throw new Error('takes family=4, 6 or 0 (either)')
  return Number(family)
}
