import { type Cause, commonCauses, explain, type Place } from '../reach/causes.ts'
import { parseRedisUrl } from './address.ts'

/** Why a Redis cannot be used, in one sentence that names the place and what to do. */
export function describeRedisTrouble(error: unknown, url: string): string {
  const place = placeOf(url)
  return `${explain(error, place, causes) ?? `${place.server} does not answer${CHECK}`}.`
}

/** Describes trouble of this Redis; nothing does where there is none. */
export function whyOf(redis: { readonly url: string } | null) {
  return redis === null ? undefined : (error: unknown) => describeRedisTrouble(error, redis.url)
}

/** Hosts and ports, without user and password. */
function placeOf(url: string): Place {
  const { nodes, master } = parseRedisUrl(url)
  const places = nodes.map(({ host, port }) => `${host}:${port}`).join(', ')
  return {
    server: `Redis at ${master === undefined ? places : `${master} (sentinels ${places})`}`,
    host: nodes.map(({ host }) => host).join('" or "'),
  }
}

const CHECK = ': check REDIS_URL, and whether it runs'

const causes: readonly Cause<Place>[] = [
  [
    /sentinel.* (because (NOAUTH|WRONGPASS|NOPERM)\b)/,
    'cannot be found, because its sentinels want another password: set REDIS_SENTINEL_PASSWORD',
  ],
  [
    /sentinel.* (because ERR No such master|invalid reply: null)/,
    'cannot be found, because its sentinels know no master of that name: correct the name at the end of REDIS_URL',
  ],
  [
    /failed to connect to sentinel/,
    'cannot be found, because none of its sentinels answers: check REDIS_URL, and whether they run',
  ],
  [
    /\bWRONGPASS\b|invalid password/,
    'refuses the user or the password of REDIS_URL: correct it, and write characters such as @, :, / and # of a password as %40, %3A, %2F and %23',
  ],
  [/\bNOAUTH\b/, 'wants a password: add it to REDIS_URL'],
  [
    /SELECT is not allowed in cluster mode/,
    'is a Redis Cluster, which has no numbered databases: write no number after the port in REDIS_URL',
  ],
  [
    /DB index is out of range|SELECT is not allowed|NOPERM.*'?\bselect\b/,
    'refuses the number of the database in REDIS_URL: write one that it has, and let its user SELECT',
  ],
  [
    /\bNOPERM\b|ACL failure in script|user executing the script/,
    'does not let the user of REDIS_URL do what the gateway does: give it what docs/permissions.md lists',
  ],
  [
    /\bMOVED\b|\bASK \d|\bCROSSSLOT\b/,
    'is one node of a Redis Cluster, and no address of others is announced that can be used: see CLUSTER SLOTS, and set cluster-announce-ip or cluster-announce-hostname',
  ],
  [
    /\bCLUSTERDOWN\b/,
    'says that its Redis Cluster is down: see with CLUSTER INFO which slots have no node',
  ],
  [
    /cluster support disabled/,
    'is no Redis Cluster, and REDIS_URL names several nodes: write one address',
  ],
  [
    /\bREADONLY\b/,
    'is a replica, which takes no writes: let REDIS_URL name the primary, and after a failover the new one',
  ],
  [
    /\bMASTERDOWN\b/,
    'is a replica that has lost its primary: let REDIS_URL name the primary, or mend the replication',
  ],
  [/\bLOADING\b/, 'is still loading its data: wait until it has started'],
  [
    /\bOOM\b/,
    'is full and takes no writes: give it more memory, or set maxmemory-policy to volatile-ttl',
  ],
  [/\bMISCONF\b/, 'takes no writes because it cannot save to its disk: see its log'],
  ...commonCauses(
    {
      authority: ': name the file of its certificate in REDIS_CA_FILE',
      name: ': write into REDIS_URL the name that the certificate is for',
      expired: ': renew it',
      plain: ': write redis:// instead of rediss://, or the port that speaks it',
      disagreed: ': see which versions and ciphers it takes, and whether it wants a certificate',
      host: ': check REDIS_URL',
      route: ': check REDIS_URL',
      ended: ': write rediss:// if it speaks TLS, and see whether it runs',
      slow: ': check REDIS_URL (redis:// where it speaks no TLS), firewalls, and how busy it is',
    },
    CHECK,
  ),
]
