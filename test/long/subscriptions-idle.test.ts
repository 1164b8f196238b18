import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { changeTriggerStatements } from '../../src/layout/change-trigger-sql.ts'
import { type Serving, startServing } from '../support/cli.ts'
import { layout } from '../support/layout.ts'
import { createSigner, type JwksServer, startJwksServer } from '../support/tokens.ts'
import { world } from '../support/world.ts'
import { readEvents } from './subscriptions/reader.ts'

/*
 * Many subscribe and nothing changes: what each of them takes of memory, and whom a change wakes that concerns one of them.
 * SUBSCRIBERS=5000 has as many as a gateway has by itself.
 */

const SUBSCRIBERS = Number(process.env.SUBSCRIBERS ?? 500)
const OPENED_AT_ONCE = 50
const ISSUER = 'https://users.example.com'
const VIEWER = 'subscription { viewerChanged { kind viewer { name } } }'

const { sql, environment } = await world({ own: true })
let jwks: JwksServer
let gateway: Serving
let tokens: string[]

beforeAll(async () => {
  await sql(changeTriggerStatements(layout, 'public').join(';\n'))
  await sql(
    `insert into users (id, name, email, email_verified)
      select 'idle-' || n, 'N', 'idle-' || n || '@example.com', true from generate_series(0, $1) n`,
    [SUBSCRIBERS],
  )
  const signer = await createSigner('EdDSA', 'users')
  jwks = await startJwksServer(signer.publicJwk)
  const iat = Math.floor(Date.now() / 1000)
  const claims = { iss: ISSUER, aud: ISSUER, iat, exp: iat + 3600 }
  tokens = await Promise.all(
    Array.from({ length: SUBSCRIBERS }, (_, n) => signer.sign({ ...claims, sub: `idle-${n}` })),
  )
  gateway = await startServing({
    ...environment,
    NODE_ENV: 'production',
    PERMISSION_EVENTS: 'postgres',
    AUTH_ISSUER: ISSUER,
    AUTH_JWKS: jwks.url,
    METRICS_PORT: '0',
    NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(COLLECTS)}`,
    ...(SUBSCRIBERS > 5000 ? { LIMIT_SUBSCRIPTIONS: String(SUBSCRIBERS) } : {}),
  })
})

afterAll(async () => {
  expect(await gateway.signal('SIGTERM')).toBe(0)
  await jwks.stop()
})

async function gauge(name: string): Promise<number> {
  const { port } = gateway.lines
    .map((line) => JSON.parse(line))
    .find(({ msg }) => msg === 'metrics')
  const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text()
  return Number(new RegExp(`^${name} (\\S+)`, 'm').exec(text)?.[1])
}

/** Of what is still used. In KiB. */
async function memory() {
  for (let times = 0; times < 3; times += 1) {
    process.kill(gateway.pid ?? 0, 'SIGUSR2')
    await sleep(300)
  }
  const heap = await gauge('nodejs_heap_size_used_bytes')
  const resident = await gauge('process_resident_memory_bytes')
  return { heap: heap / 1024, resident: resident / 1024 }
}

/** Has a process collect its garbage at a signal. */
const COLLECTS = `
  import { setFlagsFromString } from 'node:v8'
  import { runInNewContext } from 'node:vm'
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc')
  process.on('SIGUSR2', () => collect())`

/** What came, as `<number of the subscriber> <kind> <name>`. */
const told: string[] = []
const ended: string[] = []

/** Answers once the first event has come, with how to close it. */
function open(index: number): Promise<() => void> {
  return new Promise((resolve) => {
    const close = readEvents(
      `${gateway.url}/graphql`,
      { query: VIEWER, token: tokens[index] ?? '' },
      {
        event: ({ kind, viewer }) => {
          told.push(`${index} ${kind} ${viewer?.name}`)
          resolve(close)
        },
        end: (how, why) => {
          ended.push(`${index} ${how} ${why}`)
          resolve(close)
        },
      },
    )
  })
}

/** Everybody's, a few at once. */
async function openAll(): Promise<(() => void)[]> {
  const closes: (() => void)[] = []
  for (let from = 0; from < SUBSCRIBERS; from += OPENED_AT_ONCE) {
    const some = Array.from({ length: Math.min(OPENED_AT_ONCE, SUBSCRIBERS - from) }, (_, at) =>
      open(from + at),
    )
    closes.push(...(await Promise.all(some)))
  }
  return closes
}

test(`${SUBSCRIBERS} idle subscribers take little, and a change wakes whom it concerns`, {
  timeout: 240_000,
}, async () => {
  // What is there once for all of them is there before anything is measured.
  await vi.waitFor(async () => {
    ended.length = 0
    const closes = await Promise.all(tokens.slice(0, OPENED_AT_ONCE).map((_, at) => open(at)))
    for (const close of closes) close()
    expect(ended).toEqual([])
  }, 10_000)
  told.length = 0
  const before = await memory()
  const begun = performance.now()
  const closes = await openAll()
  const openedMs = performance.now() - begun
  expect(ended.slice(0, 3)).toEqual([])
  expect(told).toHaveLength(SUBSCRIBERS)
  expect(await gauge('identity_gateway_subscriptions')).toBe(SUBSCRIBERS)
  const full = await memory()

  const chosen = Math.floor(SUBSCRIBERS / 3)
  told.length = 0
  const sentBefore = await gauge('identity_gateway_subscription_events_total')
  const changed = performance.now()
  await sql("update users set name = 'Changed' where id = $1", [`idle-${chosen}`])
  await vi.waitFor(() => expect(told).not.toEqual([]), { timeout: 5000, interval: 5 })
  const toldMs = performance.now() - changed
  await sql("update users set name = 'Nobody' where id = $1", [`idle-${SUBSCRIBERS}`])
  const cpuBefore = await gauge('process_cpu_seconds_total')
  await sleep(QUIET_MS)
  const cpu = (await gauge('process_cpu_seconds_total')) - cpuBefore
  expect(told).toEqual([`${chosen} CHANGED Changed`])
  const sent = (await gauge('identity_gateway_subscription_events_total')) - sentBefore
  expect(sent).toBe(1)

  for (const close of closes) close()
  await vi.waitFor(
    async () => expect(await gauge('identity_gateway_subscriptions')).toBe(0),
    10_000,
  )
  const after = await memory()
  const each = (kind: 'heap' | 'resident', than = before) =>
    ((full[kind] - than[kind]) / SUBSCRIBERS).toFixed(1)
  process.stdout.write(
    [
      `measured: ${SUBSCRIBERS} subscribers opened in ${openedMs.toFixed(0)} ms; of each, ${each('heap')} KiB of the heap, ${each('resident')} KiB resident`,
      `heap MB before ${inMb(before.heap)}, with all ${inMb(full.heap)}, after ${inMb(after.heap)}; resident ${inMb(before.resident)}, ${inMb(full.resident)}, ${inMb(after.resident)}`,
      `one of them was told in ${toldMs.toFixed(0)} ms, ${sent} event was sent; idle for ${QUIET_MS} ms they took ${(cpu * 1000).toFixed(0)} ms of the processor`,
      '',
    ].join('\n'),
  )
  expect(full.heap - before.heap).toBeLessThan(MOST_KIB_EACH * SUBSCRIBERS + 5120)
  // Of whoever has called, it is remembered for a while what they spent.
  expect(after.heap - before.heap).toBeLessThan(2 * SUBSCRIBERS + 5120)
})

/** With many, until two comments were sent to each. */
const QUIET_MS = SUBSCRIBERS >= 1000 ? 30_000 : 1500
const MOST_KIB_EACH = 60
const inMb = (kib: number) => (kib / 1024).toFixed(0)
