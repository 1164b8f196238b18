import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { findFreePort } from '../../src/demo/ports.ts'
import { type Serving, startServing } from '../support/cli.ts'
import { type Identity, type Person, startIdentity } from '../support/identity.ts'
import { installProgram } from '../support/install-program.ts'

const GATEWAYS = 3
const ASKERS = 6
/** Longer than the balancer takes to notice: two probes, 200 ms apart. */
const GRACE_MS = 1500

let identity: Identity
let ada: Person
let token: string
let directory: string
let balancer: ChildProcess
let url: string
const gateways: { readonly port: number; serving: Serving }[] = []

beforeAll(async () => {
  if (spawnSync('haproxy', ['-v']).error && !(await installProgram('haproxy')))
    throw new Error('This test needs haproxy on the PATH (apt-get install haproxy).')
  identity = await startIdentity()
  ada = await identity.signUp('Ada')
  await identity.createOrganization(ada, 'Acme')
  token = await ada.jwt()
  for (let index = 0; index < GATEWAYS; index++) {
    const port = await findFreePort()
    gateways.push({ port, serving: await startGateway(port) })
  }
  directory = await mkdtemp(join(tmpdir(), 'identity-haproxy-'))
  await startBalancer()
})

afterAll(async () => {
  const ended = once(balancer, 'exit')
  balancer.kill('SIGTERM')
  await ended
  await Promise.all(gateways.map(({ serving }) => serving.signal('SIGTERM')))
  await rm(directory, { recursive: true })
  await identity.stop()
})

function startGateway(port: number): Promise<Serving> {
  return startServing({
    PORT: String(port),
    DATABASE_URL: identity.readOnlyUrl,
    DATABASE_POOL_SIZE: '4',
    AUTH_ISSUER: identity.betterAuth.issuer,
    SHUTDOWN_GRACE_MS: String(GRACE_MS),
    // All that is asked is one person's, and as much as the machine can.
    LIMIT_COST_PER_MINUTE: 'off',
    NODE_ENV: 'production',
  })
}

/** A balancer that follows /ready, tries nothing twice and keeps connections open. */
async function startBalancer(): Promise<void> {
  const port = await findFreePort()
  const servers = gateways.map(
    (gateway, index) => `  server gateway${index} 127.0.0.1:${gateway.port} check`,
  )
  const file = join(directory, 'haproxy.cfg')
  await writeFile(
    file,
    `global
  maxconn 1000
defaults
  mode http
  timeout connect 2s
  timeout client 30s
  timeout server 30s
  timeout check 2s
  retries 0
frontend all
  bind 127.0.0.1:${port}
  default_backend gateways
backend gateways
  balance roundrobin
  option httpchk GET /ready
  default-server inter 200ms fall 2 rise 2
${servers.join('\n')}
`,
  )
  balancer = spawn('haproxy', ['-db', '-f', file], { stdio: 'ignore' })
  url = `http://127.0.0.1:${port}/graphql`
  await vi.waitUntil(() => answered().catch(() => false), { timeout: 20_000 })
}

async function answered(): Promise<boolean> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
    body: JSON.stringify({ query: '{ viewer { name organizations { nodes { name } } } }' }),
  })
  const text = await response.text()
  const expected = '{"data":{"viewer":{"name":"Ada","organizations":{"nodes":[{"name":"Acme"}]}}}}'
  if (response.status !== 200 || text !== expected) throw new Error(`${response.status} ${text}`)
  return true
}

test('three gateways are restarted one after the other behind a balancer, and no request fails', async () => {
  const failures: string[] = []
  let requests = 0
  let restarting = true
  const asking = Array.from({ length: ASKERS }, async () => {
    while (restarting) {
      requests += 1
      await answered().catch((error: Error) =>
        failures.push(`${error.message} ${error.cause ?? ''}`),
      )
    }
  })
  const took: number[] = []
  for (const gateway of gateways) {
    const begun = performance.now()
    expect(await gateway.serving.signal('SIGTERM')).toBe(0)
    took.push(Math.round(performance.now() - begun))
    gateway.serving = await startGateway(gateway.port)
    const served = gateway.serving.lines.length
    // Until the balancer sends it requests again, so that the next can be spared.
    await expect
      .poll(() => gateway.serving.lines.length - served, { timeout: 20_000 })
      .toBeGreaterThan(50)
  }
  await sleep(500)
  restarting = false
  await Promise.all(asking)
  process.stdout.write(
    `measured: ${requests} requests, ${failures.length} failed; stopping took ${took.join(', ')} ms\n`,
  )
  expect(failures.slice(0, 5)).toEqual([])
  expect(requests).toBeGreaterThan(500)
})
