import { appendFile, copyFile, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { deployPath, deployText } from '../support/deploy.ts'
import { gatewayRedisUser, pluginRedisUser } from '../support/documentation.ts'
import { type RedisProcess, startRedisProcess } from '../support/redis-process.ts'
import { world } from '../support/world.ts'

/* Redis with the users of deploy/redis.acl, and one for the test to look on with. */

const { gatewayWith, ada, acme } = await world()
let directory: string
let server: RedisProcess
let admin: Redis

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'identity-acl-'))
  const file = join(directory, 'redis.acl')
  await copyFile(deployPath('redis.acl'), file)
  await appendFile(file, 'user admin on nopass ~* &* +@all\n')
  server = await startRedisProcess({ settings: ['--aclfile', file] })
  admin = new Redis({ port: server.port, username: 'admin', password: 'any' })
})

afterAll(async () => {
  admin.disconnect()
  await server.kill()
  await rm(directory, { recursive: true })
})

test('the users are those that docs/permissions.md and docs/redis.md describe, and no other comes in', async () => {
  const lines = deployText('redis.acl').trim().split('\n')
  const wordsOf = (words: readonly string[], password: string) =>
    words.join(' ').replace('SETUSER', 'user').replace('>secret', `>${password}`)
  expect(lines).toEqual([
    'user default off',
    wordsOf(gatewayRedisUser(), 'change-me'),
    wordsOf(pluginRedisUser(), 'change-me-too'),
  ])
  const nobody = new Redis({ port: server.port, lazyConnect: true, retryStrategy: () => null })
  nobody.on('error', () => {})
  await expect(nobody.ping()).rejects.toThrow(/NOAUTH/)
  nobody.disconnect()
})

test('a gateway caches permissions, counts requests and hears of changes as its user', async () => {
  const gateway = gatewayWith({
    REDIS_URL: server.url.replace('://', '://gateway:change-me@'),
    RATE_LIMIT_PER_MINUTE: '1000',
    PERMISSION_EVENTS: 'redis',
  })
  const token = await ada.jwt()
  const query = `{ checkPermissions(checks: [{ organizationId: "${acme.id}", permission: "member:create" }]) { allowed source } }`
  const ask = async () => (await gateway.graphql(query, { token })).data?.checkPermissions[0]
  expect(await ask()).toMatchObject({ allowed: true, source: 'DATABASE' })
  await vi.waitFor(async () => expect(await ask()).toMatchObject({ source: 'CACHE' }))

  const betterAuth = new Redis({
    port: server.port,
    username: 'better-auth',
    password: 'change-me-too',
  })
  await betterAuth.publish('identity:invalidate', JSON.stringify({ userId: ada.id }))
  betterAuth.disconnect()
  await vi.waitFor(async () => expect(await ask()).toMatchObject({ source: 'DATABASE' }))

  const keys = await admin.keys('*')
  expect(keys.filter((key) => !key.startsWith('identity:'))).toEqual([])
  expect(keys.some((key) => key.includes('rate'))).toBe(true)
  expect(gateway.logged.filter((line) => /"level":"(warn|error)"/.test(line))).toEqual([])
  expect(await admin.call('ACL', 'LOG')).not.toContainEqual(expect.arrayContaining(['gateway']))
})
