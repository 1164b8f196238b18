import { z } from 'zod'
import { FORMS, parseRedisUrl } from '../redis/address.ts'
import { group, optional, withDefault } from './group.ts'
import { type Kind, text, textFile, wholeNumber } from './kinds.ts'

/** Stays text, which is parsed again where it is connected to. */
const redisUrl: Kind<string> = z
  .string()
  .transform((given, context) => {
    try {
      parseRedisUrl(given)
      return given
    } catch (error) {
      context.addIssue(error instanceof Error ? error.message : String(error))
      return z.NEVER
    }
  })
  .describe(FORMS)

export const redis = group({
  title: 'Redis',
  variables: {
    REDIS_URL: optional(
      redisUrl,
      'in this process',
      'where permissions are cached; several nodes are those of a Redis Cluster, of which one is enough',
    ),
    REDIS_CA_FILE: optional(
      textFile,
      'those that Node.js trusts',
      'with `rediss://`: the certificates (PEM) of the authorities to trust',
    ),
    REDIS_SENTINEL_PASSWORD: optional(
      text,
      'none',
      'what sentinels want as a password; that of REDIS_URL is for the servers',
    ),
    REDIS_KEY_PREFIX: withDefault(text, 'identity:', 'what every key begins with'),
    REDIS_TIMEOUT_MS: withDefault(
      wholeNumber(1, 60_000, 'milliseconds'),
      '100',
      'the longest wait for Redis, each time it is asked; then the database answers, which takes a few milliseconds where it is near',
    ),
  },
  rules: [
    {
      about: 'REDIS_URL',
      brokenBy: (given) => given.PERMISSION_EVENTS === 'redis' && given.REDIS_URL === undefined,
      problem: 'is required with PERMISSION_EVENTS=redis',
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
            sentinelPassword: env.REDIS_SENTINEL_PASSWORD,
            keyPrefix: env.REDIS_KEY_PREFIX,
            timeoutMs: env.REDIS_TIMEOUT_MS,
          },
  }),
})
