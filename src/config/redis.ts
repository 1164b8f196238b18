import { group, optional, withDefault } from './group.ts'
import { text, textFile, urlTexts, wholeNumber } from './kinds.ts'

export const redis = group({
  title: 'Redis',
  variables: {
    REDIS_URL: optional(
      urlTexts('redis:', 'rediss:'),
      'in this process',
      'where permissions are cached; several nodes are those of a Redis Cluster',
    ),
    REDIS_CA_FILE: optional(
      textFile,
      'those that Node.js trusts',
      'with `rediss://`: the certificates (PEM) of the authorities to trust',
    ),
    REDIS_KEY_PREFIX: withDefault(text, 'identity:', 'what every key begins with'),
    REDIS_TIMEOUT_MS: withDefault(
      wholeNumber(1, 60_000, 'milliseconds'),
      '250',
      'the longest wait for Redis, each time it is asked',
    ),
  },
  rules: [
    {
      about: 'REDIS_URL',
      brokenBy: (given) => given.PERMISSION_EVENTS === 'redis' && given.REDIS_URL === undefined,
      problem: 'is required with PERMISSION_EVENTS=redis',
    },
    {
      about: 'REDIS_URL',
      brokenBy: ({ REDIS_URL = '' }) => {
        const addresses = REDIS_URL.split(',')
        return addresses.length > 1 && addresses.some(namesDatabase)
      },
      problem:
        'several nodes are a Redis Cluster, which has no numbered databases: write no number after the port',
    },
  ],
  make: (env) => ({
    /** `null`: permissions are cached in this process. */
    redis:
      env.REDIS_URL === undefined
        ? null
        : {
            url: env.REDIS_URL,
            /** The text of the file. */
            ca: env.REDIS_CA_FILE,
            keyPrefix: env.REDIS_KEY_PREFIX,
            timeoutMs: env.REDIS_TIMEOUT_MS,
          },
  }),
})

function namesDatabase(address: string): boolean {
  if (!URL.canParse(address.trim())) return false
  const { pathname, searchParams } = new URL(address.trim())
  return [pathname.replace('/', ''), searchParams.get('db') ?? ''].some((db) => !/^0?$/.test(db))
}
