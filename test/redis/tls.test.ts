import { readFileSync } from 'node:fs'
import { Redis } from 'ioredis'
import { afterAll, beforeAll, expect, onTestFinished, test, vi } from 'vitest'
import { checkRedis } from '../../src/doctor/checks/redis.ts'
import { createRedis } from '../../src/redis/client.ts'
import { describeRedisTrouble } from '../../src/redis/trouble.ts'
import { createCertificate } from '../support/certificate.ts'
import { type RedisProcess, startRedisProcess, startSentinel } from '../support/redis-process.ts'

const { key, certificate, remove } = createCertificate('localhost')
let server: RedisProcess

beforeAll(async () => {
  server = await start()
})
afterAll(async () => {
  await server.kill()
  remove()
})

/** It speaks TLS on its port, and nothing else. */
async function start(...settings: readonly string[]): Promise<RedisProcess> {
  const port = 20_000 + Math.floor(Math.random() * 10_000)
  const files = ['--tls-cert-file', certificate, '--tls-key-file', key]
  const tls = [...files, '--tls-ca-cert-file', certificate, '--tls-auth-clients', 'no']
  return startRedisProcess({
    port,
    settings: ['--port', '0', '--tls-port', String(port), ...tls, ...settings],
  })
}

const given = { sentinelPassword: undefined, keyPrefix: 'identity:', timeoutMs: 1000 }
const ca = () => readFileSync(certificate, 'utf8')
const at = (host: string, port: number) => `rediss://${host}:${port}`

test('an authority of one’s own is trusted when its certificate is given', async () => {
  const redis = { url: at('localhost', server.port), ...given }
  const found = await checkRedis({ redis: { ...redis, ca: ca() } })
  expect(found.filter(({ level }) => level === 'error')).toEqual([])
  expect(await checkRedis({ redis: { ...redis, ca: undefined } })).toEqual([
    { level: 'error', message: expect.stringContaining('REDIS_CA_FILE') },
  ])
})

test.each([
  ['a certificate of another name', at, '127.0.0.1', 'a certificate of another name'],
  [
    'TLS where there is none wanted',
    (_: string, port: number) => `redis://localhost:${port}`,
    '',
    'rediss://',
  ],
])('%s', async (_, urlOf, host, part) => {
  const redis = { url: urlOf(host, server.port), ca: ca(), ...given }
  expect(await checkRedis({ redis })).toEqual([
    { level: 'error', message: expect.stringContaining(part) },
  ])
})

test('sentinels and the primary they name by number are asked with TLS', async () => {
  const port = 20_000 + Math.floor(Math.random() * 10_000)
  const sentinel = await startSentinel(
    ...['port 0', `tls-port ${port}`, 'tls-auth-clients no', 'tls-replication yes'],
    ...[`tls-cert-file ${certificate}`, `tls-key-file ${key}`, `tls-ca-cert-file ${certificate}`],
    `sentinel monitor mymaster 127.0.0.1 ${server.port} 1`,
  )
  onTestFinished(() => sentinel.kill())
  const redis = { url: `rediss-sentinel://localhost:${port}/mymaster`, ...given }
  const found = await checkRedis({ redis: { ...redis, ca: ca() } })
  expect(found.filter(({ level }) => level === 'error')).toEqual([])
  const [finding] = await checkRedis({ redis: { ...redis, ca: undefined } })
  expect(finding?.message).toContain('none of its sentinels answers')
})

test('rediss:// to a port without TLS', async () => {
  const plain = await startRedisProcess()
  onTestFinished(() => plain.kill())
  const told = vi.fn()
  const url = at('localhost', plain.port)
  const client = createRedis(url, { timeoutMs: 1000, onTrouble: told, ca: ca() })
  onTestFinished(() => client.disconnect())
  await expect(client.connect()).rejects.toThrow()
  expect(describeRedisTrouble(told.mock.calls[0]?.[0], url)).toContain(
    'redis:// where it speaks no TLS',
  )
})

test.each([
  [
    'name',
    [
      '--cluster-announce-hostname',
      'localhost',
      ...['--cluster-preferred-endpoint-type', 'hostname'],
    ],
  ],
  ['number, as those of the name that was given,', ['--cluster-announce-ip', '127.0.0.1']],
])('nodes of a Cluster are known by %s', async (_, announced) => {
  const node = await start('--cluster-enabled', 'yes', '--tls-cluster', 'yes', ...announced)
  onTestFinished(() => node.kill())
  const admin = new Redis(at('localhost', node.port), { tls: { ca: ca() } })
  onTestFinished(() => admin.disconnect())
  await admin.cluster('ADDSLOTSRANGE', 0, 16_383)
  await expect.poll(() => admin.cluster('INFO'), { timeout: 20_000 }).toContain('cluster_state:ok')
  const address = at('localhost', node.port)
  for (const url of [address, `${address},${address}`]) {
    const redis = createRedis(url, { timeoutMs: 1000, onTrouble: () => {}, ca: ca() })
    onTestFinished(() => redis.disconnect())
    await redis.connect()
    expect(redis.commands.isCluster).toBe(true)
    expect(await redis.commands.set('a', '1')).toBe('OK')
  }
})
