import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { copyFile, cp, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { get } from 'node:http'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { json } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { findFreePort } from '../../src/demo/ports.ts'
import { type Serving, startServing } from '../support/cli.ts'
import {
  compose,
  dashboard,
  deployPath,
  deployText,
  environments,
  rules,
} from '../support/deploy.ts'
import { gatewayFor } from '../support/gateway.ts'
import { type Identity, type Person, startIdentity } from '../support/identity.ts'
import { type RedisProcess, startRedisProcess } from '../support/redis-process.ts'
import { need } from './support/need.ts'
import { startPgBouncer } from './support/pgbouncer.ts'

/*
 * The parts of deploy/compose.yaml without a container engine: Redis by its command, two gateways by their variables,
 * HAProxy by its file, and a Prometheus by its own. Only names of containers are replaced by addresses.
 */

const PATH = `${process.env.PATH}${delimiter}/usr/sbin`
const run = (command: string, words: readonly string[], env = {}) =>
  spawnSync(command, words, { encoding: 'utf8', env: { ...process.env, PATH, ...env } })
const has = (command: string, word: string) => !run(command, [word]).error

let folder: string
let identity: Identity
let ada: Person
let redis: RedisProcess
let url: string
const gateways: { readonly port: number; readonly metricsPort: number; serving: Serving }[] = []
const others: ChildProcess[] = []

beforeAll(async () => {
  for (const [command, name] of [['haproxy'], ['promtool', 'prometheus'], ['prometheus']] as const)
    await need(command, name)
  folder = await mkdtemp(join(tmpdir(), 'identity-deploy-'))
  identity = await startIdentity()
  ada = await identity.signUp('Ada')
  await identity.createOrganization(ada, 'Acme')
  await startRedis()
  await writeFile(join(folder, 'database-url'), `${identity.readOnlyUrl}\n`)
  for (let index = 0; index < 2; index++) {
    const ports = { port: await findFreePort(), metricsPort: await findFreePort() }
    gateways.push({ ...ports, serving: await startGateway(ports) })
  }
  await startBalancer()
})

afterAll(async () => {
  for (const child of others) {
    const ended = once(child, 'exit')
    child.kill('SIGTERM')
    await ended
  }
  await Promise.all(gateways.map(({ serving }) => serving.signal('SIGTERM')))
  await redis?.kill()
  await identity?.stop()
  await rm(folder, { recursive: true })
})

async function startRedis(): Promise<void> {
  const acl = join(folder, 'redis.acl')
  await copyFile(deployPath('redis.acl'), acl)
  const command = compose.services.redis?.command ?? ''
  const [, ...words] = command.replace('/run/secrets/redis.acl', acl).replace('""', '').split(' ')
  redis = await startRedisProcess({ settings: words })
  const [user] = deployText('secrets.example/redis-url').split('redis:6379')
  await writeFile(join(folder, 'redis-url'), `${user}127.0.0.1:${redis.port}\n`)
}

function startGateway(ports: { port: number; metricsPort: number }): Promise<Serving> {
  return startServing({
    ...environments.compose,
    DATABASE_URL_FILE: join(folder, 'database-url'),
    REDIS_URL_FILE: join(folder, 'redis-url'),
    AUTH_ISSUER: identity.betterAuth.issuer,
    RATE_LIMIT_PER_MINUTE: '100000',
    PORT: String(ports.port),
    METRICS_PORT: String(ports.metricsPort),
  })
}

async function startBalancer(): Promise<void> {
  const port = await findFreePort()
  const file = join(folder, 'haproxy.cfg')
  const places = gateways.map(
    (gateway, index) => [`gateway-${index + 1}:4000`, gateway.port] as const,
  )
  const betterAuth = ['better-auth:3000', Number(new URL(identity.betterAuth.url).port)] as const
  const text = [...places, betterAuth].reduce(
    (text, [name, port]) => text.replace(name, `127.0.0.1:${port}`),
    deployText('haproxy.cfg').replace('bind :8080', `bind 127.0.0.1:${port}`),
  )
  await writeFile(file, text)
  const checked = run('haproxy', ['-c', '-f', file])
  expect(checked.stderr).not.toMatch(/ALERT|WARNING/)
  others.push(
    spawn('haproxy', ['-db', '-f', file], { stdio: 'ignore', env: { ...process.env, PATH } }),
  )
  url = `http://127.0.0.1:${port}`
  await vi.waitUntil(() => answered().catch(() => false), { timeout: 20_000 })
}

async function answered(): Promise<true> {
  const response = await fetch(`${url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${await ada.jwt()}` },
    body: JSON.stringify({
      query:
        '{ viewer { organizations { nodes { name viewerCan(permission: "member:create") } } } }',
    }),
  })
  const text = await response.text()
  const nodes = [{ name: 'Acme', viewerCan: true }]
  if (text !== JSON.stringify({ data: { viewer: { organizations: { nodes } } } }))
    throw new Error(`${response.status} ${text}`)
  return true
}

test('the gateways are restarted one after the other behind the balancer, and no request fails', async () => {
  const failures: string[] = []
  let [requests, restarting] = [0, true]
  const asking = Array.from({ length: 3 }, async () => {
    while (restarting) {
      requests += 1
      await answered().catch((error: Error) => failures.push(error.message))
      // All that is asked is one person's, who has no more than a share of each minute.
      await sleep(50)
    }
  })
  for (const gateway of gateways) {
    expect(await gateway.serving.signal('SIGTERM')).toBe(0)
    gateway.serving = await startGateway(gateway)
    await sleep(3000)
  }
  restarting = false
  await Promise.all(asking)
  expect(failures.slice(0, 5)).toEqual([])
  expect(requests).toBeGreaterThan(100)
})

test('the balancer leads to Better Auth what is for it', async () => {
  // The demo's answers to no other host than its own.
  const { host } = new URL(identity.betterAuth.url)
  const asked = get(`${url}/api/auth/ok`, { headers: { host } })
  const [response] = await once(asked, 'response')
  expect(await json(response)).toEqual({ ok: true })
})

describe('Prometheus', () => {
  const own = (file: string) => deployPath(`prometheus/${file}`)

  test('its own checks find nothing wrong with the rules, and the tests of the rules pass', () => {
    for (const words of [
      ['check', 'rules', own('alerts.yaml'), own('slo.yaml')],
      ['check', 'config', own('prometheus.yaml')],
      ['test', 'rules', own('alerts.test.yaml')],
    ]) {
      const { status, stdout, stderr } = run('promtool', words)
      expect(status, `${stdout}${stderr}`).toBe(0)
    }
  })

  test('it reads both gateways, and each panel of the dashboard and each rule has an answer', async () => {
    const at = await startPrometheus()
    const query = async (expr: string) => {
      const response = await fetch(`${at}/api/v1/query?query=${encodeURIComponent(expr)}`)
      const { status, data, error } = (await response.json()) as {
        status: string
        error?: string
        data?: { result: readonly unknown[] }
      }
      expect(status, `${expr}: ${error}`).toBe('success')
      return data?.result ?? []
    }
    const usual = ['$job', 'identity-gateway', '$instance', '.*', '$__rate_interval', '10s']
    const shown = dashboard.panels.flatMap(({ title, targets = [] }) =>
      targets.map(({ expr }) => {
        const asked = expr.replaceAll(/\$\w+/g, (name) => usual[usual.indexOf(name) + 1] ?? name)
        return { title, asked }
      }),
    )
    expect(shown.length).toBeGreaterThan(30)
    await vi.waitFor(
      async () => {
        // At once, so that some is joined; and what is refused.
        await Promise.all([...Array.from({ length: 12 }, answered), refused()])
        expect(await query('sum(identity_gateway_ready) == 2')).toHaveLength(1)
        expect(await query('job:identity_gateway_fast:ratio_rate5m')).toHaveLength(1)
        for (const { title, asked } of shown)
          expect(await query(asked), `${title}: ${asked}`).not.toEqual([])
      },
      { timeout: 60_000, interval: 500 },
    )
    for (const { expr } of rules) await query(expr)
    expect(await query('ALERTS{alertstate="firing"}')).toEqual([])
  })

  async function refused(): Promise<void> {
    const body = JSON.stringify({ query: '{ nothing }' })
    const headers = { 'content-type': 'application/json' }
    const response = await fetch(`${url}/graphql`, { method: 'POST', headers, body })
    expect(await response.text()).toContain('GRAPHQL_VALIDATION_FAILED')
  }

  async function startPrometheus(): Promise<string> {
    await cp(deployPath('prometheus'), join(folder, 'prometheus'), { recursive: true })
    const file = join(folder, 'prometheus/prometheus.yaml')
    const text = gateways.reduce(
      (text, { metricsPort }, index) =>
        text.replace(`gateway-${index + 1}:9464`, `127.0.0.1:${metricsPort}`),
      deployText('prometheus/prometheus.yaml').replace('15s', '1s'),
    )
    await writeFile(file, `global: { evaluation_interval: 1s }\n${text}`)
    const port = await findFreePort()
    others.push(
      spawn(
        'prometheus',
        [
          `--config.file=${file}`,
          `--storage.tsdb.path=${join(folder, 'tsdb')}`,
          `--web.listen-address=127.0.0.1:${port}`,
        ],
        { stdio: 'ignore' },
      ),
    )
    return `http://127.0.0.1:${port}`
  }
})

test('through PgBouncer with its file answers are as without it', async () => {
  const settings = deployText('pgbouncer.ini')
    .split('[pgbouncer]\n')[1]
    ?.split('\n')
    .filter((line) => !/^(;|listen_|auth_file)/.test(line))
  const pooler = await startPgBouncer(identity.readOnlyUrl, settings)
  const gateway = gatewayFor(identity, {
    DATABASE_URL: pooler.through(identity.readOnlyUrl),
    DATABASE_PREPARED_STATEMENTS: 'off',
  })
  try {
    await gateway.verify()
    const { data } = await gateway.graphql('{ viewer { name } }', { token: await ada.jwt() })
    expect(data).toEqual({ viewer: { name: 'Ada' } })
  } finally {
    await gateway.close()
    await pooler.stop()
  }
})

test('Compose understands its file, and asks for the image of Better Auth', async () => {
  await need('docker-compose')
  const project = join(folder, 'compose')
  await cp(deployPath('.'), project, { recursive: true })
  await cp(deployPath('secrets.example'), join(project, 'secrets'), { recursive: true })
  await copyFile(deployPath('redis.acl'), join(project, 'secrets/redis.acl'))
  const words = ['-f', join(project, 'compose.yaml'), 'config', '-q']
  const { status, stderr } = run('docker-compose', words, { BETTER_AUTH_IMAGE: 'of-yours' })
  expect(status, stderr).toBe(0)
  expect(run('docker-compose', words).stderr).toContain('image of your application')
})

test.skipIf(!has('systemd-analyze', '--version'))('systemd understands the unit', async () => {
  const unit = join(folder, 'identity-gateway@4001.service')
  const text = deployText('systemd/identity-gateway@.service')
  await writeFile(unit, text.replace('/usr/bin/node', process.execPath))
  const { status, stderr } = run('systemd-analyze', ['verify', unit])
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
})

test.skipIf(!has('kubectl', 'version'))('Kustomize joins the base with the example', () => {
  const { status, stdout, stderr } = run('kubectl', ['kustomize', deployPath('kubernetes/example')])
  expect(status, stderr).toBe(0)
  const kinds = [...stdout.matchAll(/^kind: (\w+)$/gm)].map(([, kind]) => kind).sort()
  expect(kinds).toEqual([
    'ConfigMap',
    'Deployment',
    'HorizontalPodAutoscaler',
    'NetworkPolicy',
    'PodDisruptionBudget',
    'Secret',
    'Service',
  ])
  // The names that it makes from contents are those that the pod asks for.
  const [, secret] = /^ {10}secretName: (identity-gateway-\w+)$/m.exec(stdout) ?? []
  expect(stdout).toMatch(new RegExp(`^kind: Secret\nmetadata:\n  name: ${secret}$`, 'm'))
  expect(stdout).toContain('image: registry.example.com/identity-gateway:0.1.0\n')
})
