import { Cluster, Redis } from 'ioredis'
import { expect, test } from 'vitest'
import { createRedis } from '../../src/redis/client.ts'

const options = { timeoutMs: 250, onTrouble: () => {} }

test('one address is a single server, and nothing connects before the first command', () => {
  const client = createRedis('rediss://user:p%40ss@redis.example:6380/2', options)
  expect(client).toBeInstanceOf(Redis)
  expect(client.status).toBe('wait')
  expect(client.options).toMatchObject({
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
  expect(client).toBeInstanceOf(Cluster)
  expect(client.status).toBe('wait')
  expect(client.options).toMatchObject({
    redisOptions: { username: 'user', password: 'p@ss', tls: {} },
  })
  client.disconnect()
})
