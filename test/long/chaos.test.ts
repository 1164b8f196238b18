import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Serving, startServing } from '../support/cli.ts'
import { startRedisProcess } from '../support/redis-process.ts'
import { type Fault, faultsOf, type RestartableRedis } from './chaos/faults.ts'
import { type Answer, ask, type Question, questionsOf, TTL_SECONDS } from './chaos/questions.ts'
import { createWorld, type World } from './chaos/world.ts'

/** Each fault once, or again and again for so long. */
const MINUTES = Number(process.env.CHAOS_MINUTES ?? 0)
const ASKERS = 6
const CALM_MS = 1500
/** The longest that everything may take to be as before, once a fault is repaired. */
const LONGEST_RECOVERY_MS = 10_000

let world: World
let redis: RestartableRedis
let gateway: Serving

beforeAll(async () => {
  redis = { current: await startRedisProcess() }
  world = await createWorld()
  gateway = await startServing({
    NODE_ENV: 'production',
    DATABASE_URL: world.readOnlyUrl,
    DATABASE_POOL_SIZE: '8',
    DATABASE_STATEMENT_TIMEOUT_MS: '1000',
    REQUEST_TIMEOUT_MS: '3000',
    LIMIT_CONCURRENCY: '200',
    // A few people ask as often as they can, which a fast machine has them do beyond what a user may spend.
    LIMIT_COST_PER_MINUTE: 'off',
    REDIS_URL: redis.current.url,
    // A machine that is busy with other tests is slow; a Redis that hangs is slower.
    REDIS_TIMEOUT_MS: '1000',
    PERMISSION_CACHE_TTL_SECONDS: String(TTL_SECONDS),
    AUTH_ISSUER: world.issuer,
    ...world.services.environment,
    METRICS_PORT: '0',
  })
})

afterAll(async () => {
  await redis.current.kill()
  await world.remove()
})

interface Tally {
  answered: number
  /** By what they were answered with instead of data. */
  readonly unavailable: Map<string, number>
  readonly wrong: string[]
}

/** The only ways in which a question may fail. */
function isAllowedFailure({ status, codes }: Answer): boolean {
  return (
    codes.length > 0 &&
    codes.every((code) => code === 'UNAVAILABLE' || code === 'TIMEOUT') &&
    (status === 200 || status === 503)
  )
}

async function tryQuestion(question: Question, tally: Tally): Promise<boolean> {
  const asked = Date.now()
  const answer = await ask(gateway.url, question).catch((error: Error) => error)
  if (answer instanceof Error) {
    tally.wrong.push(`${question.name}: no answer: ${answer.message} ${answer.cause}`)
    return false
  }
  if (isAllowedFailure(answer)) {
    const what = `${answer.status} ${[...new Set(answer.codes)]}`
    tally.unavailable.set(what, (tally.unavailable.get(what) ?? 0) + 1)
    return false
  }
  const problem =
    question.name !== 'forged' && (answer.codes.length > 0 || answer.status !== 200)
      ? `${answer.status} ${answer.codes}`
      : question.verify(answer, asked, Date.now())
  if (problem === null) tally.answered += 1
  else tally.wrong.push(`${question.name}: ${problem}`)
  return problem === null
}

async function askOn(tally: Tally, until: AbortSignal): Promise<void> {
  while (!until.aborted) {
    const questions = questionsOf(world)
    const question = questions[Math.floor(Math.random() * questions.length)]
    if (question) await tryQuestion(question, tally)
    await sleep(5)
  }
}

interface Recovery {
  readonly milliseconds: number
  /** What was not yet as before when it was last looked at. */
  readonly obstacle: string
}

/** Until every kind of question is answered and Redis gives cached answers again. */
async function recovery(tally: Tally): Promise<Recovery> {
  const begun = performance.now()
  let obstacle = 'nothing'
  for (;;) {
    const questions = questionsOf(world)
    const outcomes = await Promise.all(questions.map((question) => tryQuestion(question, tally)))
    const failed = questions.filter((_, index) => !outcomes[index]).map(({ name }) => name)
    const milliseconds = performance.now() - begun
    if (failed.length === 0 && (await answersFromCache())) return { milliseconds, obstacle }
    obstacle = failed.length === 0 ? 'the cache' : failed.join(', ')
    if (milliseconds > 2 * LONGEST_RECOVERY_MS) return { milliseconds, obstacle }
    await sleep(20)
  }
}

async function answersFromCache(): Promise<boolean> {
  const question: Question = {
    name: 'source',
    token: world.serviceToken,
    query: `query ($checks: [PermissionCheckInput!]!) { checkPermissions(checks: $checks) { source } }`,
    variables: {
      checks: [
        {
          organizationId: world.organizationId,
          userId: world.owner.userId,
          permission: 'member:update',
        },
      ],
    },
    verify: () => null,
  }
  const { data } = await ask(gateway.url, question)
  return data?.checkPermissions?.[0].source === 'CACHE'
}

async function gauge(name: string): Promise<number> {
  const port = gateway.lines
    .map((line) => JSON.parse(line))
    .find(({ msg }) => msg === 'metrics')?.port
  const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text()
  return Number(new RegExp(`^${name} (\\S+)`, 'm').exec(text)?.[1])
}

/** The least of several, because a heap grows until it is collected. In MB. */
async function memory(): Promise<{ readonly heap: number; readonly resident: number }> {
  const heaps: number[] = []
  for (let index = 0; index < 5; index++) {
    heaps.push(await gauge('nodejs_heap_size_used_bytes'))
    await sleep(CALM_MS / 5)
  }
  return {
    heap: Math.min(...heaps) / 2 ** 20,
    resident: (await gauge('process_resident_memory_bytes')) / 2 ** 20,
  }
}

/** With what it was that took long. */
const describe = ({ milliseconds, obstacle }: Recovery) =>
  milliseconds < 3000 ? `${Math.round(milliseconds)}` : `${Math.round(milliseconds)} (${obstacle})`

const mean = (values: readonly number[]) =>
  values.reduce((sum, value) => sum + value, 0) / values.length

test('through every fault no answer is wrong, errors say so, and everything recovers by itself', {
  timeout: MINUTES * 60_000 + 240_000,
}, async () => {
  const tally: Tally = { answered: 0, unavailable: new Map(), wrong: [] }
  const end = new AbortController()
  const writing = world.write(end.signal)
  const asking = Promise.all(Array.from({ length: ASKERS }, () => askOn(tally, end.signal)))
  const recoveries = new Map<string, Recovery[]>()
  const heaps: number[] = []
  const begun = performance.now()
  expect((await recovery(tally)).milliseconds).toBeLessThan(LONGEST_RECOVERY_MS)
  const cause = async (fault: Fault) => {
    const repair = await fault.cause()
    await sleep(fault.milliseconds)
    await repair()
    const took = await recovery(tally)
    recoveries.set(fault.name, [...(recoveries.get(fault.name) ?? []), took])
    heaps.push((await memory()).heap)
  }
  do for (const fault of faultsOf(world, redis, gateway.url)) await cause(fault)
  while (performance.now() - begun < MINUTES * 60_000)
  end.abort()
  await asking
  const changes = await writing
  const { resident } = await memory()
  const log = gateway.lines.filter((line) => line.includes('"INTERNAL"'))
  const exitCode = await gateway.signal('SIGTERM')

  const quarter = Math.ceil(heaps.length / 4)
  const early = mean(heaps.slice(quarter, 2 * quarter))
  const late = mean(heaps.slice(-quarter))
  process.stdout.write(
    [
      `measured: ${Math.round((performance.now() - begun) / 1000)} s, ${tally.answered} answers, ${changes} changes, ${tally.wrong.length} wrong`,
      `unavailable: ${[...tally.unavailable].map(([what, count]) => `${count} × ${what}`).join(', ')}`,
      `heap ${early.toFixed(1)} MB in the second quarter, ${late.toFixed(1)} MB in the last; resident ${resident.toFixed(0)} MB`,
      ...[...recoveries].map(
        ([name, times]) => `recovered from ${name} in ${times.map(describe).join(', ')} ms`,
      ),
      '',
    ].join('\n'),
  )
  expect(tally.wrong.slice(0, 5)).toEqual([])
  expect(log.slice(0, 5)).toEqual([])
  // A rejection that nobody handles ends the process with 1.
  expect(exitCode).toBe(0)
  for (const [name, times] of recoveries)
    for (const time of times)
      expect(time.milliseconds, `${name}: ${describe(time)}`).toBeLessThan(LONGEST_RECOVERY_MS)
  expect(tally.unavailable.size).toBeGreaterThan(0)
  // A heap grows while it is new; what it grows by later is kept for ever.
  if (MINUTES >= 5) expect(late).toBeLessThan(early * 1.2 + 5)
  else expect(late).toBeLessThan(250)
})
