import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { triggerStatements } from '../../src/layout/trigger-sql.ts'
import { type GatewayUnderTest, gatewayFor } from '../support/gateway.ts'
import { type Identity, type Person, startIdentity } from '../support/identity.ts'
import { layout } from '../support/layout.ts'

/** As docs/permissions.md states it of connections that hang, and a margin for a busy machine. */
const BOUND_MS = 3000 + 500

let identity: Identity
let gateway: GatewayUnderTest
let person: Person
let question: string
/** Between the gateway and PostgreSQL; passes on nothing while it is held. */
let wire: { readonly url: string; held: boolean; stop(): void }

beforeAll(async () => {
  identity = await startIdentity()
  await identity.sql(triggerStatements(layout, 'public').join(';\n'))
  person = await identity.signUp('Ada')
  const { id } = await identity.createOrganization(person, 'Acme')
  question = `{ checkPermissions(checks: [{ permission: "leave:approve", organizationId: "${id}" }]) { allowed source } }`
  wire = await startWire(identity.readOnlyUrl)
  gateway = gatewayFor(identity, { PERMISSION_EVENTS: 'postgres', DATABASE_LISTEN_URL: wire.url })
})

afterAll(async () => {
  wire.held = false
  await gateway.close()
  wire.stop()
  await identity.stop()
})

test('a connection that hangs without ending is noticed within the bound, and replaced', async () => {
  const token = await person.jwt()
  const ask = async () => {
    const { data } = await gateway.graphql(question, { token })
    return data.checkPermissions[0]
  }
  await expect.poll(ask).toEqual({ allowed: true, source: 'CACHE' })
  wire.held = true
  await identity.sql(`update members set role = 'auditor' where user_id = $1`, [person.id])
  const begun = performance.now()
  while ((await ask()).allowed) expect(performance.now() - begun).toBeLessThan(BOUND_MS)
  process.stdout.write(
    `measured: with a connection that hangs, the oldest answer ${(performance.now() - begun).toFixed()} ms\n`,
  )
  wire.held = false
  await expect.poll(ask, { timeout: 20_000 }).toEqual({ allowed: false, source: 'CACHE' })
})

async function startWire(target: string) {
  const { hostname, port } = new URL(target)
  const sockets = new Set<Socket>()
  const server = createServer((near) => {
    const far = connect(Number(port), hostname)
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(from)
      from.on('data', (bytes) => {
        if (!state.held) to.write(bytes)
      })
      from.on('error', () => {})
      from.on('close', () => to.destroy())
    }
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const url = new URL(target)
  url.host = `127.0.0.1:${(server.address() as AddressInfo).port}`
  const state = {
    url: url.href,
    held: false,
    stop() {
      for (const socket of sockets) socket.destroy()
      server.close()
    },
  }
  return state
}
