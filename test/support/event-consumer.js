/**
 * An identity service that handles business events, as far as it matters here: a member of a consumer group that
 * acknowledges an event once it is handled, and begins with what it had not acknowledged when it was killed. Handling
 * counts the event in the hash `<stream>:handled`, by its source and id.
 */
import { argv, stdout } from 'node:process'
import { Redis } from 'ioredis'

const [url = '', stream = '', group = 'identity', consumer = 'identity-1'] = argv.slice(2)
const redis = new Redis(url)

await redis.xgroup('CREATE', stream, group, '0', 'MKSTREAM').catch((error) => {
  if (!String(error.message).startsWith('BUSYGROUP')) throw error
})
stdout.write('ready\n')

/** Entries that were given to this consumer already, or new ones. @param {'0' | '>'} from */
async function read(from) {
  const options = /** @type {const} */ (['COUNT', 10, 'BLOCK', 1000, 'STREAMS'])
  const answer = await redis.xreadgroup('GROUP', group, consumer, ...options, stream, from)
  return answer?.[0]?.[1] ?? []
}

/** @param {string} text */
async function handle(text) {
  const { source, id } = JSON.parse(text)
  await redis.hincrby(`${stream}:handled`, JSON.stringify([source, id]), 1)
}

for (let from = /** @type {'0' | '>'} */ ('0'); ; ) {
  const entries = await read(from)
  for (const [entryId, fields] of entries) {
    // Of an entry that was trimmed away before it was handled, only its id is left.
    if (fields?.[1] !== undefined) await handle(fields[1])
    await redis.xack(stream, group, entryId)
  }
  if (entries.length === 0) from = '>'
}
