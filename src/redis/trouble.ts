/**
 * Why a Redis cannot be used, in one sentence that names the place and what to do. It is made of the addresses, of the
 * codes of Redis and Node.js, and of texts that are recognised, never quoted, because they may hold anything.
 */
export function describeRedisTrouble(error: unknown, url: string): string {
  const signs = signsOf(error)
  const place = placesOf(url).join(', ')
  const [, cause] = causes.find(([pattern]) => signs.some((sign) => pattern.test(sign))) ?? []
  return `Redis at ${place} ${cause ?? OTHERWISE}.`
}

/** Describes trouble of this Redis; nothing does where there is none. */
export function whyOf(redis: { readonly url: string } | null) {
  return redis === null ? undefined : (error: unknown) => describeRedisTrouble(error, redis.url)
}

/** Host and port of each address, without user and password. */
function placesOf(url: string): readonly string[] {
  return url.split(',').map((address) => {
    const { hostname, port } = new URL(address.trim())
    return `${hostname || 'localhost'}:${port || DEFAULT_PORT}`
  })
}

const DEFAULT_PORT = '6379'

const OTHERWISE = 'does not answer: check REDIS_URL, and whether it runs'

const UNKNOWN_AUTHORITY =
  'has a certificate of an authority that is not trusted here: name the file of its certificate in REDIS_CA_FILE'

/** The first that fits a code or a text is the cause; what is particular comes before what is general. */
const causes: readonly (readonly [RegExp, string])[] = [
  [
    /\bWRONGPASS\b|invalid password/,
    'refuses the user or the password of REDIS_URL: correct it, and write characters such as @, :, / and # of a password as %40, %3A, %2F and %23',
  ],
  [/\bNOAUTH\b/, 'wants a password: add it to REDIS_URL'],
  [
    /DB index is out of range|SELECT is not allowed|NOPERM.*'?\bselect\b/,
    'refuses the number of the database in REDIS_URL: write one that it has, and let its user SELECT',
  ],
  [
    /\bNOPERM\b/,
    'does not let the user of REDIS_URL do what the gateway does: give it what README.md lists under Permissions',
  ],
  [
    /\bMOVED\b|\bASK \d/,
    'is one node of a Redis Cluster, and keys are on others: write several nodes into REDIS_URL, separated by commas, or the address twice',
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
  [
    /SELF_SIGNED_CERT_IN_CHAIN|DEPTH_ZERO_SELF_SIGNED_CERT|UNABLE_TO_VERIFY_LEAF_SIGNATURE|UNABLE_TO_GET_ISSUER/,
    UNKNOWN_AUTHORITY,
  ],
  [
    /ERR_TLS_CERT_ALTNAME_INVALID/,
    'has a certificate of another name: write into REDIS_URL the name that the certificate is for',
  ],
  [/CERT_HAS_EXPIRED/, 'has a certificate that has expired: renew it'],
  [
    /ERR_SSL_(WRONG_VERSION_NUMBER|PACKET_LENGTH_TOO_LONG)/,
    'speaks no TLS: write redis:// instead of rediss://, or the port that speaks it',
  ],
  [
    /ERR_SSL_/,
    'agrees on no TLS: see which versions and ciphers it takes, and whether it wants a certificate',
  ],
  [/\bENOTFOUND\b|\bEAI_AGAIN\b/, 'cannot be used because there is no such host: check REDIS_URL'],
  [
    /\bECONNREFUSED\b/,
    'does not answer, for nothing listens there: check REDIS_URL, and whether it runs',
  ],
  [/\b(EHOSTUNREACH|ENETUNREACH)\b/, 'does not answer, for no route leads there: check REDIS_URL'],
  [
    /\b(ECONNRESET|EPIPE)\b|Connection is closed/,
    'ends the connection: write rediss:// if it speaks TLS, and see whether it runs',
  ],
  [
    /\bETIMEDOUT\b|timed out/,
    'does not answer in time: check REDIS_URL (redis:// where it speaks no TLS), firewalls, and how busy it is',
  ],
]

/** Codes and texts of an error, of its causes, and of what it gathers, such as the nodes of a Cluster. */
function signsOf(error: unknown, depth = 0): readonly string[] {
  if (typeof error !== 'object' || error === null || depth > 5) return []
  const it = error as Readonly<Record<string, unknown>>
  const gathered = Array.isArray(it.errors) ? it.errors : []
  return [
    `${it.code ?? ''} ${it.message ?? ''}`.trim(),
    ...[it.cause, it.lastNodeError, ...gathered].flatMap((each) => signsOf(each, depth + 1)),
  ]
}
