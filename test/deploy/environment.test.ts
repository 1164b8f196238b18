import { existsSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { groups, loadConfig } from '../../src/config/config.ts'
import { fileOf, secrets } from '../../src/config/given.ts'
import { findWarnings } from '../../src/config/warnings.ts'
import {
  compose,
  deployPath,
  deployText,
  deployYaml,
  type Environment,
  environments,
} from '../support/deploy.ts'

const known = [
  ...groups.flatMap(({ variables }) => Object.keys(variables)),
  ...secrets.map((name) => fileOf(name)),
]

/** In milliseconds, as the gateway would have it. */
function timesOf(environment: Environment) {
  const { http } = loadConfig(environment)
  // Requests under way have 10 seconds to end.
  return { ...http, stopping: http.shutdownGraceMs + 10_000 }
}

describe.each(Object.entries(environments))('%s', (_, environment) => {
  test('tells a gateway of nothing that it does not know, and of nothing that it refuses', () => {
    expect(Object.keys(environment).filter((name) => !known.includes(name))).toEqual([])
    expect(findWarnings(environment)).toEqual([])
    const { http, database, redis } = loadConfig(environment)
    expect(database.url).toMatch(/^postgresql:\/\/gateway:/)
    expect(redis?.url).toMatch(/^rediss?:\/\/gateway:/)
    expect(http).toMatchObject({ environment: 'production', trustProxy: 1 })
    expect(http.metricsPort).toBeGreaterThan(0)
  })

  test('leaves balancers time to notice that it stops', () => {
    expect(loadConfig(environment).http.shutdownGraceMs).toBe(5000)
  })
})

test('compose gives both gateways time to stop, what they need, and no more', () => {
  const { 'gateway-1': one, 'gateway-2': two } = compose.services
  expect(one).toEqual(two)
  const seconds = Number.parseInt(one?.stop_grace_period ?? '', 10)
  expect(seconds * 1000).toBeGreaterThan(timesOf(environments.compose ?? {}).stopping)
  expect(one).toMatchObject({
    mem_limit: '512m',
    read_only: true,
    cap_drop: ['ALL'],
    security_opt: ['no-new-privileges:true'],
  })
})

test('every secret of compose is one of its files, which has an example', () => {
  const used = Object.values(compose.services).flatMap((service) => service.secrets ?? [])
  expect([...new Set(used)].sort()).toEqual(Object.keys(compose.secrets).sort())
  for (const [name, { file }] of Object.entries(compose.secrets)) {
    expect(file).toBe(`secrets/${name}`)
    const example = name === 'redis.acl' ? name : file.replace('secrets', 'secrets.example')
    expect(existsSync(deployPath(example)), example).toBe(true)
  }
})

test('the unit of systemd waits for the end, and does not start again what is configured wrongly', () => {
  const unit = deployText('systemd/identity-gateway@.service')
  const [, seconds] = /^TimeoutStopSec=(\d+)$/m.exec(unit) ?? []
  expect(Number(seconds) * 1000).toBeGreaterThan(timesOf(environments.systemd ?? {}).stopping)
  expect(unit).toContain('\nRestartPreventExitStatus=2\n')
  expect(unit).toMatch(/^ExecStart=\/usr\/bin\/node \S+\/dist\/cli\/main\.js serve$/m)
})

test('the balancer notices in time, waits longer than the gateway, and lets go before it', () => {
  const config = deployText('haproxy.cfg')
  const secondsOf = (setting: string) =>
    Number(new RegExp(`^ +timeout ${setting} (\\d+)s$`, 'm').exec(config)?.[1])
  const http = timesOf(environments.compose ?? {})
  const [, inter, fall] = /check inter (\d+)s fall (\d+)/.exec(config) ?? []
  expect((Number(inter) * Number(fall) + 1) * 1000).toBeLessThan(http.shutdownGraceMs)
  expect(secondsOf('server') * 1000).toBeGreaterThan(http.timeoutMs)
  expect(secondsOf('http-keep-alive') * 1000).toBeLessThan(http.keepAliveTimeoutMs)
  // What TRUST_PROXY=1 counts on.
  expect(config).toContain('option forwardfor\n')
  for (const name of ['gateway-1', 'gateway-2']) {
    expect(config).toContain(`server ${name} ${name}:${http.port}\n`)
    expect(compose.services).toHaveProperty(name)
  }
})

test('Prometheus is told of the gateways of compose', () => {
  const { scrape_configs: jobs } = deployYaml<{
    scrape_configs: readonly { static_configs: readonly { targets: readonly string[] }[] }[]
  }>('prometheus/prometheus.yaml')
  const port = loadConfig(environments.compose ?? {}).http.metricsPort
  expect(jobs[0]?.static_configs[0]?.targets).toEqual([`gateway-1:${port}`, `gateway-2:${port}`])
})
