import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { pointsOf } from '../support/cost.ts'
import { randomFrom } from '../support/random.ts'
import { ask, type Crowd, cpuOfWork, type Gateway, openCrowd } from './support/crowd.ts'
import { documentOf, type Part, randomPart } from './support/dear-documents.ts'

/*
 * That nobody can be kept waiting by somebody else: what the dearest requests take that are accepted, as they are found by
 * a search, and how others fare beside whoever sends them. Everything is measured in CPU, of the gateway and of PostgreSQL,
 * beside a usual page. HUNT_SECONDS=3600 searches for longer; with FIGURES those who attack also ask a server that does
 * nothing, which says what of the wait is the machine's, and everybody for longer.
 */

const HUNT_SECONDS = Number(process.env.HUNT_SECONDS ?? 120)
const LIMIT_COST = 10_000
/** What one request may take, in usual pages. */
const MOST_PAGES = 50

const USUAL =
  '{ viewer { organizations(first: 5) { nodes { id name slug members(first: 20) { nodes { roles user { id name } } } } } } }'

let crowd: Crowd
/** Without a budget, to hunt. */
let boundless: Gateway
let usual: { readonly gateway: number; readonly database: number }
const attacker = 'u1'

beforeAll(async () => {
  crowd = await openCrowd()
  boundless = await crowd.serve({ LIMIT_COST_PER_MINUTE: 'off', ACCESS_LOG: 'off' })
  const token = await crowd.tokenOf(attacker)
  const many = async () => {
    for (let index = 0; index < 100; index++) await ask(boundless, token, { query: USUAL })
  }
  await many()
  const { gateway, database } = await cpuOfWork(boundless, many)
  usual = { gateway: gateway / 100, database: database / 100 }
  process.stdout.write(`a usual page: ${show(usual)}\n`)
}, 300_000)

afterAll(async () => {
  await boundless?.stop()
  await crowd?.stop()
})

const show = ({ gateway, database }: typeof usual) =>
  `${gateway.toFixed(2)} ms of the gateway, ${database.toFixed(2)} ms of PostgreSQL`
const pages = (found: typeof usual) => ({
  gateway: found.gateway / usual.gateway,
  database: found.database / usual.database,
})
const times = (count: number, text: (index: number) => string) =>
  Array.from({ length: count }, (_, index) => text(index)).join(' ')
const inLarge = (fields: string) => `{ organization(id: "o0") { ${fields} } }`

const attacks = {
  'a batch of ten, each with 33 pages of members, their cursors, permissions and users': Array.from(
    { length: 10 },
    (_, nth) => ({
      query: inLarge(
        times(
          33,
          (i) =>
            `a${i}: members(first: 100, filter: { roles: ["member", "${nth}x${i}"] }) { edges { cursor node { permissions user { id name } } } }`,
        ),
      ),
    }),
  ),
  'a batch of ten, each with 95 counts of searches': Array.from({ length: 10 }, (_, nth) => ({
    query: inLarge(
      times(95, (i) => `a${i}: members(filter: { search: "p${nth}${i}" }) { totalCount }`),
    ),
  })),
  'ninety lists of those who have a permission': {
    query: inLarge(
      times(
        90,
        (i) =>
          `a${i}: members(filter: { permission: "member:create", roles: ["x${i}", "member"] }) { nodes { id } }`,
      ),
    ),
  },
}

test.each(Object.entries(attacks))('%s', async (_what, body) => {
  const token = await crowd.tokenOf(attacker)
  const told = await ask(boundless, token, body)
  const found = await cpuOfWork(boundless, () => ask(boundless, token, body))
  const { gateway, database } = pages(found)
  process.stdout.write(`${show(found)}: ${gateway.toFixed(1)} and ${database.toFixed(1)} pages\n`)
  expect(told.text).toContain('LIMIT_EXCEEDED')
  expect(gateway).toBeLessThan(MOST_PAGES)
  expect(database).toBeLessThan(MOST_PAGES)
})

/** Found by the search, to be sent by those who attack. */
const dearest: Record<'gateway' | 'database', readonly Part[]> = {
  gateway: [{ kind: 'edges', salt: 1, size: 100, leaves: 3 }],
  database: [{ kind: 'countOfSearch', salt: 1, size: 1, leaves: 0 }],
}

/** One document, or a batch of ten that cost as much together. */
function bodyOf(parts: readonly Part[], isBatch: boolean) {
  if (!isBatch) return { query: documentOf(parts, LIMIT_COST) }
  return Array.from({ length: 10 }, (_, nth) => ({
    query: documentOf(
      parts.map((part) => ({ ...part, salt: part.salt + 100 * nth })),
      LIMIT_COST / 10,
    ),
  }))
}

test(
  'the dearest request that is accepted takes no more than fifty usual pages, and little memory',
  async () => {
    const seed = Number(process.env.FUZZ_SEED ?? Date.now() % 2 ** 32)
    const random = randomFrom(seed)
    const token = await crowd.tokenOf(attacker)
    interface Found extends Record<'gateway' | 'database', number> {
      readonly parts: readonly Part[]
      readonly isBatch: boolean
    }
    const salted = (parts: readonly Part[]) =>
      parts.map((part) => ({ ...part, salt: random.between(0, 999) }))
    const measure = async (parts: readonly Part[], isBatch: boolean): Promise<Found> => {
      const body = bodyOf(parts, isBatch)
      const found = await cpuOfWork(boundless, () => ask(boundless, token, body))
      return { parts, isBatch, ...pages(found) }
    }
    /** The least of several, because the collection of garbage and pages that come from the disk are nobody's. */
    const confirm = async ({ parts, isBatch }: Found, times: number) => {
      const found: Found[] = []
      for (let time = 0; time < times; time++) found.push(await measure(salted(parts), isBatch))
      const least = (of: 'gateway' | 'database') => Math.min(...found.map((one) => one[of]))
      return { parts, isBatch, gateway: least('gateway'), database: least('database') }
    }
    const best: Partial<Record<'gateway' | 'database', Found>> = {}
    const end = performance.now() + HUNT_SECONDS * 1000
    let tried = 0
    while (performance.now() < end) {
      const from = random.chance(0.5) ? best.gateway : best.database
      const mutated = from?.parts.map((part) => (random.chance(0.3) ? randomPart(random) : part))
      const parts =
        mutated && random.chance(0.7)
          ? mutated
          : Array.from({ length: random.between(1, 4) }, () => randomPart(random))
      let found = await measure(salted(parts), random.chance(0.3))
      tried += 1
      const isDearer = (of: 'gateway' | 'database') => found[of] > (best[of]?.[of] ?? 0)
      if (isDearer('gateway') || isDearer('database')) found = await confirm(found, 3)
      for (const of of ['gateway', 'database'] as const) if (isDearer(of)) best[of] = found
    }
    for (const of of ['gateway', 'database'] as const) {
      const found = best[of]
      if (!found) continue
      dearest[of] = found.parts
      const again = await confirm(found, 5)
      const before = boundless.resident()
      await measure(found.parts, found.isBatch)
      const grown = (boundless.resident() - before) / 2 ** 20
      const { query } = [bodyOf(found.parts, false)].flat()[0] ?? { query: '' }
      process.stdout.write(
        `dearest for the ${of} of ${tried} (seed ${seed}): ${again.gateway.toFixed(1)} and ${again.database.toFixed(1)} pages, ${found.isBatch ? 'a batch' : `${pointsOf(query)} points`}, ${grown.toFixed(1)} MiB; ${JSON.stringify(found.parts)}\n`,
      )
      expect(again[of]).toBeLessThan(MOST_PAGES)
      expect(grown).toBeLessThan(20)
    }
  },
  HUNT_SECONDS * 1000 + 120_000,
)

describe('whoever asks beside those who send the dearest requests', () => {
  const SECONDS = process.env.FIGURES ? 40 : 15
  let gateway: Gateway
  let honest: readonly string[]

  beforeAll(async () => {
    gateway = await crowd.serve({ ACCESS_LOG: 'off', DATABASE_POOL_SIZE: '10' })
    honest = await Promise.all([2001, 2002, 2003, 2004].map((i) => crowd.tokenOf(`u${i}`)))
    await fare()
    // A gateway that has been at work has its connections open, and its statements prepared.
    for (let time = 0; time < 5; time++)
      await Promise.all(
        Array.from({ length: 40 }, (_, i) =>
          ask(gateway, honest[i % honest.length] ?? '', {
            query: USUAL.replace('first: 5', `first: ${5 + i}`),
          }),
        ),
      )
  }, 120_000)
  afterAll(() => gateway?.stop())

  const run = (program: string) =>
    spawn(process.execPath, [fileURLToPath(new URL(`support/${program}`, import.meta.url))], {
      stdio: ['pipe', 'pipe', 'inherit'],
    })

  const quantile = (waits: readonly number[], share: number) =>
    Math.round(waits.toSorted((a, b) => a - b)[Math.floor(waits.length * share)] ?? 0)

  /** How usual pages and probes are answered meanwhile. */
  async function fare() {
    const waits: number[] = []
    const probes: number[] = []
    const refused: string[] = []
    const end = performance.now() + SECONDS * 1000
    const asker = async (token: string) => {
      while (performance.now() < end) {
        const { status, text, ms } = await ask(gateway, token, { query: USUAL })
        waits.push(ms)
        if (status !== 200 || text.includes('"errors"')) refused.push(text.slice(0, 100))
        await new Promise((resolve) => setTimeout(resolve, 150))
      }
    }
    const prober = async () => {
      while (performance.now() < end) {
        for (const path of ['/health', '/ready']) {
          const begun = performance.now()
          const { status } = await fetch(`${gateway.url}${path}`)
          probes.push(performance.now() - begun)
          if (status !== 200) refused.push(`${path}: ${status}`)
        }
        await new Promise((resolve) => setTimeout(resolve, 100))
      }
    }
    await Promise.all([...honest.map(asker), prober()])
    return {
      requests: waits.length,
      p50: quantile(waits, 0.5),
      p99: quantile(waits, 0.99),
      probes: quantile(probes, 1 - 1 / probes.length),
      refused,
    }
  }

  test.each([1, 10])(
    '%i accounts with 16 connections',
    async (accounts) => {
      const before = { ...(await fare()), resident: gateway.resident() }
      const tokens = await Promise.all(
        Array.from({ length: accounts }, (_, i) =>
          crowd.tokenOf(i === 0 ? attacker : `u${3000 + 37 * i}`),
        ),
      )
      const bodies = Object.values(dearest).flatMap((parts) =>
        Array.from({ length: 20 }, (_, i) =>
          JSON.stringify(
            bodyOf(
              parts.map((part) => ({ ...part, salt: part.salt + 50 * i })),
              i % 4 === 3,
            ),
          ),
        ),
      )
      const besideFlood = async (url: string) => {
        const flood = run('flood.js')
        flood.stdin.end(JSON.stringify({ url, tokens, bodies, connections: 16 * accounts }))
        const statuses = text(flood.stdout)
        const found = { ...(await fare()), resident: gateway.resident() }
        flood.kill('SIGTERM')
        return { ...found, statuses: await statuses }
      }
      if (process.env.FIGURES) {
        // What those who attack take of the machine before anybody answers them.
        const swallow = run('swallow.js')
        const [url] = await once(swallow.stdout, 'data')
        const { p50, p99, statuses } = await besideFlood(String(url).trim())
        swallow.kill('SIGTERM')
        process.stdout.write(
          `beside ${accounts} who ask somebody else: p50 ${p50} p99 ${p99} ms; they were answered ${statuses}\n`,
        )
      }
      const { statuses, ...beside } = await besideFlood(gateway.url)
      const mib = (bytes: number) => Math.round(bytes / 2 ** 20)
      process.stdout.write(
        `alone p50 ${before.p50} p99 ${before.p99} ms, probes at most ${before.probes} ms, ${mib(before.resident)} MiB; beside ${accounts} p50 ${beside.p50} p99 ${beside.p99} ms of ${beside.requests}, probes at most ${beside.probes} ms, ${mib(beside.resident)} MiB; they were answered ${statuses}\n`,
      )
      expect(beside.refused.slice(0, 3)).toEqual([])
      expect(beside.resident - before.resident).toBeLessThan(300 * 2 ** 20)
    },
    10 * SECONDS * 1000,
  )
})
