import { Redis } from 'ioredis'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { RedisPermissionCache } from '../../src/permissions/redis-cache.ts'
import { createRedis } from '../../src/redis/client.ts'
import { grantOf, permissionCacheContract, someone } from '../contract/permission-cache.ts'
import { type RedisProcess, startRedisProcess } from '../support/redis-process.ts'

const password = 'p@ss:word'

describe('a Redis Cluster of two nodes, with a password', () => {
  let nodes: readonly RedisProcess[] = []
  const options = { timeoutMs: 2000, onTrouble: () => {} }

  beforeAll(async () => {
    nodes = await Promise.all([startNode(), startNode()])
    const clients = nodes.map((node) => new Redis(node.url, { password }))
    const [first, second] = clients
    await first?.cluster('ADDSLOTSRANGE', 0, 8191)
    await second?.cluster('ADDSLOTSRANGE', 8192, 16383)
    await first?.cluster('MEET', '127.0.0.1', nodes[1]?.port ?? 0)
    for (const client of clients)
      await vi.waitFor(
        async () => expect(await client.cluster('INFO')).toContain('cluster_state:ok'),
        { timeout: 20_000, interval: 100 },
      )
    for (const client of clients) client.disconnect()
  })
  afterAll(async () => {
    await Promise.all(nodes.map((node) => node.kill()))
  })

  const create = ({ ttlSeconds }: { readonly ttlSeconds: number }) => {
    const [first, second] = nodes.map((node) => `127.0.0.1:${node.port}`)
    const url = `redis://:${encodeURIComponent(password)}@${first},redis://${second}`
    const client = createRedis(url, options)
    return new RedisPermissionCache(client, { ...options, prefix: 'p:', ttlSeconds, version: 'v1' })
  }

  permissionCacheContract('RedisPermissionCache', async (contract) => create(contract))

  test('losing a node is a miss, not an error', async () => {
    const cache = create({ ttlSeconds: 300 })
    await cache.ready()
    await nodes[1]?.kill()
    const subjects = Array.from({ length: 20 }, someone)
    const epochs = { organization: '', user: '' }
    await cache.write(subjects.map((subject) => ({ subject, grant: grantOf(), epochs })))
    expect(await cache.read(subjects, 'CACHED')).toHaveLength(20)
    await cache.close()
  })
})

function startNode(): Promise<RedisProcess> {
  return startRedisProcess({ settings: ['--cluster-enabled', 'yes', '--requirepass', password] })
}
