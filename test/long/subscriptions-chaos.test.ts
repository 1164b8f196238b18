import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { findFreePort } from '../../src/demo/ports.ts'
import { type Serving, startServing } from '../support/cli.ts'
import { type Fault, faultsOf } from './chaos/faults.ts'
import { createChaosWorld } from './subscriptions/chaos-world.ts'
import { Client, newCounts } from './subscriptions/crowd.ts'

/*
 * PostgreSQL, Redis and gateways are killed in turn, while 200 clients subscribe at two gateways that triggers tell, and as many
 * at two that the plug-in tells. Whatever changes, each of them is told of it, or to read again after it. CHAOS_MINUTES=5
 * goes on for so long; without it, a few faults are brought about once.
 */

const MINUTES = Number(process.env.CHAOS_MINUTES ?? 0)
const IN_SHORT = [
  ...['PostgreSQL killed', 'PostgreSQL hanging', 'Redis restarted', 'Redis hanging'],
  ...['a gateway stopped', 'a gateway killed'],
]
const WRITERS = 3
/** The longest until everything was told, once a fault is repaired. */
const LONGEST_RECOVERY_MS = 20_000
const CALM_MS = 1500
/** A gateway that has listened for so long can go on for another that ends. */
const LISTENED_MS = 11_000

interface Running {
  readonly source: 'postgres' | 'redis'
  readonly port: number
  serving: Serving
  startedMs: number
}

let world: Awaited<ReturnType<typeof createChaosWorld>>
const gateways: Running[] = []
const clients: Client[] = []
const counts = { postgres: newCounts(), redis: newCounts() }
const byFact = new Map<string, Client[]>()

const start = (source: string, port: number) =>
  startServing({
    ...world.environment,
    NODE_ENV: 'production',
    PORT: String(port),
    PERMISSION_EVENTS: source,
    DATABASE_POOL_SIZE: '8',
    DATABASE_STATEMENT_TIMEOUT_MS: '1000',
    REQUEST_TIMEOUT_MS: '3000',
    REDIS_TIMEOUT_MS: '1000',
    LIMIT_COST_PER_MINUTE: 'off',
  })

beforeAll(async () => {
  world = await createChaosWorld()
  for (const source of ['postgres', 'postgres', 'redis', 'redis'] as const) {
    const port = await findFreePort()
    const serving = await start(source, port)
    gateways.push({ source, port, serving, startedMs: performance.now() })
  }
})

afterAll(async () => {
  for (const client of clients) client.close()
  await Promise.all(gateways.map(({ serving }) => serving.signal('SIGKILL')))
  await world.remove()
})

/** Of these two, one is left alone after the first round, so that it grows old. */
function gatewayFaults(round: number): readonly Fault[] {
  const end = (name: string, signal: 'SIGTERM' | 'SIGKILL', source: string): Fault => ({
    name,
    milliseconds: 700,
    cause: async () => {
      const of = gateways.filter((gateway) => gateway.source === source)
      const gateway = of[round === 0 ? 0 : 1]
      if (!gateway) throw new Error('There is no such gateway.')
      await gateway.serving.signal(signal)
      return async () => {
        gateway.serving = await start(source, gateway.port)
        gateway.startedMs = performance.now()
      }
    },
  })
  const [stopped, killed] = round % 2 === 0 ? ['postgres', 'redis'] : ['redis', 'postgres']
  return [
    end('a gateway stopped', 'SIGTERM', stopped ?? ''),
    end('a gateway killed', 'SIGKILL', killed ?? ''),
    ...gateways.map(
      (gateway): Fault => ({
        name: `a gateway hanging, told by ${gateway.source}`,
        milliseconds: 3000,
        cause: async () => {
          const { pid = 0 } = gateway.serving
          process.kill(pid, 'SIGSTOP')
          return async () => void process.kill(pid, 'SIGCONT')
        },
      }),
    ),
  ]
}

/** In MB. */
function residentOf({ serving }: Running): number {
  const status = readFileSync(`/proc/${serving.pid}/status`, 'utf8')
  return Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1]) / 1024
}

/** Until every client is subscribed and was told everything. Answers how long that took, and what is still untold. */
async function untilTold(): Promise<{ readonly ms: number; readonly lost: readonly string[] }> {
  const begun = performance.now()
  for (;;) {
    const ms = performance.now() - begun
    const lost = clients
      .filter(({ isOpen, untold }) => !isOpen || untold.length > 0)
      .map(
        ({ name, isOpen, untold }) => `${name} ${isOpen ? '' : 'not open '}${untold.slice(0, 3)}`,
      )
    if (lost.length === 0 || ms > LONGEST_RECOVERY_MS) return { ms, lost }
    await sleep(20)
  }
}

test('through every fault each client is told of every change, or to read again', {
  timeout: MINUTES * 60_000 + 240_000,
}, async () => {
  const begun = performance.now()
  for (const source of ['postgres', 'redis'] as const) {
    const of = gateways.filter((gateway) => gateway.source === source)
    const urls = of.map(({ port }) => `http://127.0.0.1:${port}/graphql`)
    for (const [index, subscription] of world.subscriptions.entries()) {
      const client = new Client(subscription, urls, index, counts[source])
      clients.push(client)
      for (const fact of world.factsOf(client.name))
        byFact.set(fact, [...(byFact.get(fact) ?? []), client])
    }
  }
  expect((await untilTold()).lost.slice(0, 3)).toEqual([])

  let pause: Promise<void> | null = null
  let goOn = (): void => {}
  let ended = false
  let changes = 0
  let writing = 0
  const busy = new Set<string>()
  const write = async () => {
    while (!ended) {
      if (pause) await pause
      writing += 1
      if (await world.change((fact) => byFact.get(fact) ?? [], busy)) changes += 1
      writing -= 1
      await sleep(150)
    }
  }
  const writers = Array.from({ length: WRITERS }, write)

  const lost: string[] = []
  const recoveries = new Map<string, number[]>()
  const calm: number[] = []
  const residents: string[] = []
  const ofOld: number[] = []
  let listeningSince = performance.now()
  const cause = async (fault: Fault) => {
    if (/gateway/.test(fault.name))
      await sleep(Math.max(0, listeningSince + LISTENED_MS - performance.now()))
    const repair = await fault.cause()
    await sleep(fault.milliseconds)
    await repair()
    pause = new Promise((resolve) => {
      goOn = resolve
    })
    while (writing > 0) await sleep(10)
    const told = await untilTold()
    lost.push(...told.lost.map((what) => `${fault.name}: ${what}`))
    recoveries.set(fault.name, [...(recoveries.get(fault.name) ?? []), told.ms])
    for (const { longest } of Object.values(counts)) Object.assign(longest, { ms: 0, what: '' })
    if (/PostgreSQL/.test(fault.name)) listeningSince = performance.now()
    pause = null
    goOn()
    await sleep(CALM_MS)
    calm.push(...Object.values(counts).map(({ longest }) => longest.ms))
  }
  let round = 0
  do {
    const all = [...faultsOf(world, world.redis, ''), ...gatewayFaults(round)].filter(({ name }) =>
      MINUTES > 0 ? /^(PostgreSQL|Redis|a gateway)/.test(name) : IN_SHORT.includes(name),
    )
    for (const fault of all) await cause(fault)
    round += 1
    const sizes = gateways.map((gateway) => residentOf(gateway))
    const old = gateways.map(({ startedMs }) => (performance.now() - startedMs) / 1000)
    residents.push(
      sizes.map((size, at) => `${size.toFixed(0)} (${old[at]?.toFixed(0)} s)`).join(' '),
    )
    ofOld.push((sizes[0] ?? 0) + (sizes[2] ?? 0))
  } while (performance.now() - begun < MINUTES * 60_000)
  ended = true
  await Promise.all(writers)
  const last = await untilTold()
  lost.push(...last.lost)
  const log = gateways.flatMap(({ serving }) =>
    serving.lines.filter((line) => line.includes('"INTERNAL"')),
  )
  const codes = await Promise.all(gateways.map(({ serving }) => serving.signal('SIGTERM')))

  const describe = ({ wrong, longest: _, ...rest }: ReturnType<typeof newCounts>) =>
    `${Object.entries(rest).map((pair) => pair.join(' '))}, ${wrong.length} wrong`
  process.stdout.write(
    [
      `measured: ${((performance.now() - begun) / 1000).toFixed(0)} s, ${clients.length} subscriptions, ${changes} changes, ${lost.length} lost`,
      `told by triggers: ${describe(counts.postgres)}; by the plug-in: ${describe(counts.redis)}`,
      `longest while all was well ${Math.max(...calm).toFixed(0)} ms`,
      ...[...recoveries].map(
        ([name, times]) => `after ${name} all was told in ${times.map((ms) => ms.toFixed(0))} ms`,
      ),
      ...residents.map((text, at) => `round ${at + 1}: resident MB (age) ${text}`),
      '',
    ].join('\n'),
  )
  expect(lost.slice(0, 5)).toEqual([])
  expect([...counts.postgres.wrong, ...counts.redis.wrong].slice(0, 5)).toEqual([])
  expect(log.slice(0, 5)).toEqual([])
  expect(codes).toEqual([0, 0, 0, 0])
  expect(counts.postgres.resumed).toBeGreaterThan(0)
  expect(Math.max(...calm)).toBeLessThan(5000)
  const [early = 0, late = 0] = [ofOld[1], ofOld.at(-1)]
  if (MINUTES >= 5) expect(late).toBeLessThan(early * 1.2 + 20)
})
