import { setImmediate, setTimeout } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { triggerStatements } from '../../src/layout/trigger-sql.ts'
import { type GatewayUnderTest, gatewayFor } from '../support/gateway.ts'
import { type Identity, type Person, startIdentity } from '../support/identity.ts'
import { layout } from '../support/layout.ts'

/** As docs/permissions.md states it of connections that end. */
const BOUND_MS = 1000
const KILLS = 20
const ASKERS = 4

let identity: Identity
let gateway: GatewayUnderTest
let person: Person
let token: string
let question: string

beforeAll(async () => {
  identity = await startIdentity()
  await identity.sql(triggerStatements(layout, 'public').join(';\n'))
  person = await identity.signUp('Ada')
  token = await person.jwt()
  const { id } = await identity.createOrganization(person, 'Acme')
  question = `{ checkPermissions(checks: [{ permission: "leave:approve", organizationId: "${id}" }]) { roles source } }`
  gateway = gatewayFor(identity, { PERMISSION_EVENTS: 'postgres' })
})

afterAll(async () => {
  await gateway.close()
  await identity.stop()
})

test('while the connection is killed again and again no answer is older than the bound', async () => {
  /** When the version of that number was replaced. */
  const replacedMs: number[] = []
  let version = 0
  let running = true
  let oldestMs = 0
  const sources: Record<string, number> = { CACHE: 0, DATABASE: 0 }
  const ask = async () => {
    while (running) {
      const askedMs = performance.now()
      const { data, errors } = await gateway.graphql(question, { token })
      expect(errors).toEqual([])
      const [{ roles, source }] = data.checkPermissions
      sources[source] = (sources[source] ?? 0) + 1
      const answered = Number(/^v(\d+)$/.exec(roles[0])?.[1] ?? 0)
      oldestMs = Math.max(oldestMs, askedMs - (replacedMs[answered] ?? askedMs))
      // An answer from the cache needs no I/O, so asking again at once would let nothing else in.
      await setImmediate()
    }
  }
  const change = async (sql: string) => {
    const { length } = await identity.sql(sql, [`v${version + 1}`, person.id])
    // Nothing was replaced when there was no connection to kill.
    if (length > 0) replacedMs[version++] = performance.now()
    return length
  }
  const askers = Promise.all(Array.from({ length: ASKERS }, ask))
  let killed = 0
  while (killed < KILLS) {
    for (let i = 0; i < 5; i++) {
      await change('update members set role = $1 where user_id = $2 returning 1')
      await setTimeout(20)
    }
    killed += await change(killAndChange)
    // No later change reveals the one that went untold.
    await setTimeout(BOUND_MS + 200)
  }
  running = false
  await askers
  process.stdout.write(
    `measured: ${killed} connections killed, ${version} changes, answers ${JSON.stringify(sources)}, the oldest ${oldestMs.toFixed(1)} ms\n`,
  )
  expect(sources.CACHE).toBeGreaterThan(100)
  expect(oldestMs).toBeLessThan(BOUND_MS)
})

/** Nobody listens when the change is committed. Answers a row when there was a connection to kill. */
const killAndChange = `update members set role = $1
  from (select count(pg_terminate_backend(pid)) as killed from pg_stat_activity
    where datname = current_database() and application_name = 'identity-gateway-events') as connections
  where user_id = $2 and killed > 0 returning 1`
