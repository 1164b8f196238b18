import { readFileSync } from 'node:fs'
import { Agent } from 'node:http'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { matrixWorld } from '../graph/matrix/world.ts'
import { type Serving, startServing } from '../support/cli.ts'
import { asSuperuser } from '../support/database.ts'
import { findSecret } from '../support/planted.ts'
import { randomFrom } from '../support/random.ts'
import { useRedis } from '../support/redis.ts'
import { faultOf } from './fuzz/judge.ts'
import { learn } from './fuzz/knowledge.ts'
import { randomRequest } from './fuzz/random-request.ts'
import { type Answered, send } from './fuzz/send.ts'

/** `FUZZ_REQUESTS=1000000 FUZZ_SECONDS=10000` for a whole run; a seed to see one again. Ends by whichever comes first. */
const requests = Number(process.env.FUZZ_REQUESTS ?? 5000)
const seconds = Number(process.env.FUZZ_SECONDS ?? 60)
const seed = Number(process.env.FUZZ_SEED ?? Date.now() % 2 ** 32)
const CONCURRENCY = 16
/** New tokens after so many requests, before those of Better Auth run out. */
const LESSON = 20_000

const world = await matrixWorld()
let serving: Serving

beforeAll(async () => {
  const { identity } = world
  await asSuperuser(`alter database ${identity.database.name} set log_statement = 'none'`)
  const redis = useRedis()
  serving = await startServing({
    ...world.environment,
    REDIS_URL: redis.url,
    REDIS_KEY_PREFIX: redis.prefix,
    AUTH_SESSIONS: 'on',
    BETTER_AUTH_SECRET: identity.betterAuth.secret,
    DYNAMIC_ACCESS_CONTROL: 'on',
    GRAPHIQL: 'off',
  })
})

afterAll(async () => {
  await serving?.signal('SIGTERM')
})

interface Tally {
  readonly faults: string[]
  readonly statuses: Record<string, number>
  readonly codes: Record<string, number>
  /** Answers with data that is not null. */
  answered: number
  longest: number
}

test(`up to ${requests} requests (seed ${seed}): data or a coded error each, no secret, no crash`, {
  timeout: seconds * 1000 + 240_000,
}, async () => {
  const tally: Tally = { faults: [], statuses: {}, codes: {}, answered: 0, longest: 0 }
  const agent = new Agent({ keepAlive: true, maxSockets: CONCURRENCY })
  const random = randomFrom(seed)
  const begun = performance.now()
  let sent = 0
  const isOver = () => performance.now() - begun > seconds * 1000 || tally.faults.length >= 20
  while (sent < requests && !isOver()) {
    const knowledge = await learn(world, serving.url)
    const end = Math.min(requests, sent + LESSON)
    const asker = async () => {
      while (sent < end && !isOver()) {
        sent++
        const fuzzed = randomRequest(random, knowledge)
        try {
          const answer = await send(serving.url, agent, fuzzed)
          count(tally, answer)
          const fault = faultOf(answer)
          if (fault !== null)
            tally.faults.push(
              `${fault}: ${describe(fuzzed)} was answered ${answer.text.slice(0, 500)}`,
            )
        } catch (error) {
          tally.faults.push(`${error}: ${describe(fuzzed)}`)
        }
      }
    }
    await Promise.all(Array.from({ length: CONCURRENCY }, asker))
    report(tally, sent, performance.now() - begun)
  }
  agent.destroy()
  expect(tally.faults, `seed ${seed}`).toEqual([])
  // It must have come through to the data often enough for the rest to mean something.
  expect(tally.answered).toBeGreaterThan(sent / 20)
  expect(Object.keys(tally.codes).length).toBeGreaterThan(6)
  expect((await fetch(`${serving.url}/ready`)).status).toBe(200)
  expect(
    serving.lines.filter((line) => ['error', 'fatal'].includes(JSON.parse(line).level)),
  ).toEqual([])
  expect(findSecret(serving.lines.join('\n'))).toBeNull()
})

function count(tally: Tally, { status, text, milliseconds }: Answered): void {
  tally.statuses[status] = (tally.statuses[status] ?? 0) + 1
  for (const [, code = ''] of text.matchAll(/"code":"(\w+)"/g))
    tally.codes[code] = (tally.codes[code] ?? 0) + 1
  if (text.startsWith('{"data":{')) tally.answered++
  tally.longest = Math.max(tally.longest, milliseconds)
}

function describe({ kind, method, path, headers, body }: ReturnType<typeof randomRequest>): string {
  return `${kind}: ${method} ${path} ${JSON.stringify(headers)} ${body?.toString().slice(0, 2000)}`
}

function report({ statuses, codes, answered, longest }: Tally, sent: number, ms: number): void {
  process.stdout.write(
    `${sent} requests, ${Math.round((sent / ms) * 1000)} a second, ${answered} with data; peak memory ${peakMemoryMiB()} MiB, longest ${Math.round(longest)} ms; statuses ${JSON.stringify(statuses)}; codes ${JSON.stringify(codes)}\n`,
  )
}

/** Of the gateway's process, as Linux counts it. */
function peakMemoryMiB(): number | string {
  try {
    const status = readFileSync(`/proc/${serving.pid}/status`, 'utf8')
    return Math.round(Number(/VmHWM:\s+(\d+)/.exec(status)?.[1]) / 1024)
  } catch {
    return 'unknown'
  }
}
