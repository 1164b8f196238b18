import { createRedis, type RedisClientOptions } from './client.ts'

/**
 * A client for scripts that count, whose callers count by themselves where they get no answer. So it tells of what Redis
 * refuses as well: once, and again after a script has run.
 */
export function createCounters(url: string, options: RedisClientOptions) {
  const client = createRedis(url, options)
  let isRefused = false
  const run = async (script: string, keys: number, ...words: readonly string[]) => {
    try {
      const answer = await client.commands.eval(script, keys, ...words)
      isRefused = false
      return answer
    } catch (error) {
      // A connection that is lost is told of by the client.
      if (error instanceof Error && error.name === 'ReplyError') {
        if (!isRefused) options.onTrouble(error)
        isRefused = true
      }
      throw error
    }
  }
  return {
    connect: () => client.connect(),
    disconnect: () => client.disconnect(),
    commands: { eval: run },
  }
}
