import { createRedis } from './client.ts'
import { createTimeout } from './guard.ts'
import type { RedisAccess } from './options.ts'
import { whyOf } from './trouble.ts'

const UNCOUNTED = 'Redis is in trouble: requests and proofs are counted in this process.'

/**
 * A client for what is counted, whose callers count by themselves where they get no answer. So it tells of what Redis
 * refuses as well: once, and again after a script has run.
 */
export function createCounters(
  redis: RedisAccess & { readonly url: string; readonly keyPrefix: string },
  trouble: (what: string, why: ReturnType<typeof whyOf>) => (error: Error) => void,
) {
  const { url, keyPrefix } = redis
  const onTrouble = trouble(UNCOUNTED, whyOf(redis))
  const client = createRedis(url, { ...redis, onTrouble })
  let isRefused = false
  const run = async (script: string, keys: number, ...words: readonly string[]) => {
    try {
      const answer = await client.commands.eval(script, keys, ...words)
      isRefused = false
      return answer
    } catch (error) {
      // A connection that is lost is told of by the client.
      if (error instanceof Error && error.name === 'ReplyError') {
        if (!isRefused) onTrouble(error)
        isRefused = true
      }
      throw error
    }
  }
  const soon = createTimeout(redis.timeoutMs)
  let connecting: Promise<void> | undefined
  const connect = () => {
    connecting ??= client.connect()
    return connecting
  }
  return {
    keyPrefix,
    client: { connect, disconnect: () => client.disconnect(), commands: { eval: run } },
    /** Whether no gateway has used a name in the last so many milliseconds; `undefined`: Redis does not say. */
    isFirstUse: async (name: string, forMs: number): Promise<boolean | undefined> => {
      // A command would not wait for the connection.
      await soon.execute(connect).catch(() => {})
      return run(SET_ONCE, 1, `${keyPrefix}used:${name}`, String(forMs)).then(
        (set) => set !== null,
        () => undefined,
      )
    },
  }
}

/** Answers nothing where the key is there. */
const SET_ONCE = `return redis.call('SET', KEYS[1], '', 'PX', ARGV[1], 'NX')`
