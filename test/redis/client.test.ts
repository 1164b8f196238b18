import { once } from 'node:events'
import { type AddressInfo, connect, createServer } from 'node:net'
import { Cluster, Redis } from 'ioredis'
import { expect, onTestFinished, test } from 'vitest'
import { createRedis } from '../../src/redis/client.ts'
import { startRedisProcess } from '../support/redis-process.ts'

const options = { timeoutMs: 250, onTrouble: () => {} }

test('one address is a single server, and nothing connects before the first command', () => {
  const client = createRedis('rediss://user:p%40ss@redis.example:6380/2', options)
  expect(client.commands).toBeInstanceOf(Redis)
  expect(client.commands.status).toBe('wait')
  expect(client.commands.options).toMatchObject({
    host: 'redis.example',
    port: 6380,
    username: 'user',
    password: 'p@ss',
    db: 2,
    tls: {},
  })
  client.disconnect()
})

test('several addresses are a Cluster with the credentials and TLS of the first', () => {
  const client = createRedis('rediss://user:p%40ss@a.example:1, rediss://b.example:2', options)
  expect(client.commands).toBeInstanceOf(Cluster)
  expect(client.commands.status).toBe('wait')
  expect(client.commands.options).toMatchObject({
    redisOptions: { username: 'user', password: 'p@ss', tls: {} },
  })
  client.disconnect()
})

async function startServer(...settings: string[]) {
  const server = await startRedisProcess({ settings })
  onTestFinished(() => server.kill())
  return server
}

test('without its database there is no connection, and nothing is written to another', async () => {
  const server = await startServer('--databases', '2')
  const troubles: string[] = []
  const onTrouble = ({ message }: Error) => troubles.push(message)
  const client = createRedis(`${server.url}/5`, { timeoutMs: 1000, onTrouble })
  onTestFinished(() => client.disconnect())
  await expect(client.connect()).rejects.toThrow()
  await expect(client.commands.set('a', '1')).rejects.toThrow()
  await expect.poll(() => client.commands.status).toMatch(/connect/)
  await expect(client.commands.set('a', '1')).rejects.toThrow()
  expect(troubles).toEqual(['ERR DB index is out of range'])
  const other = new Redis(server.url)
  expect(await other.dbsize()).toBe(0)
  other.disconnect()
})

test('a primary that became a replica is left for the one that its address leads to now', async () => {
  const [old, next] = [await startServer(), await startServer()]
  let port = old.port
  const address = createServer((socket) => {
    const onward = connect(port, '127.0.0.1')
    socket.pipe(onward).pipe(socket)
    for (const end of [socket, onward]) end.on('error', () => {})
  }).listen(0, '127.0.0.1')
  await once(address, 'listening')
  onTestFinished(() => void address.close())
  const url = `redis://127.0.0.1:${(address.address() as AddressInfo).port}`
  const client = createRedis(url, { timeoutMs: 1000, onTrouble: () => {} })
  onTestFinished(() => client.disconnect())
  await client.connect()
  await client.commands.set('a', 'before')

  const admin = new Redis(old.url)
  await admin.replicaof('127.0.0.1', next.port)
  admin.disconnect()
  port = next.port
  await expect(client.commands.set('a', 'after')).rejects.toThrow('READONLY')
  await expect
    .poll(() => client.commands.set('a', 'after').catch(() => ''), { timeout: 5000 })
    .toBe('OK')
})
