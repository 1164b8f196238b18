import { Redis } from 'ioredis'
import { expect, onTestFinished, test } from 'vitest'
import { ConfigError, loadConfig } from '../../src/config/config.ts'
import { parseRedisUrl } from '../../src/redis/address.ts'
import { createRedis } from '../../src/redis/client.ts'
import { describeRedisTrouble } from '../../src/redis/trouble.ts'
import { startRedisProcess } from '../support/redis-process.ts'

const server = {
  nodes: [{ host: 'h', port: 6379 }],
  master: undefined,
  username: undefined,
  password: undefined,
  tls: false,
  db: 0,
  family: 0,
}
const two = [
  { host: 'a', port: 1 },
  { host: 'b', port: 26_379 },
]

test.each([
  ['redis://h', server],
  [' redis://h/ ', server],
  ['redis://', { ...server, nodes: [{ host: 'localhost', port: 6379 }] }],
  [
    'rediss://my_host:6380/3',
    { ...server, nodes: [{ host: 'my_host', port: 6380 }], tls: true, db: 3 },
  ],
  ['redis://[::1]:7', { ...server, nodes: [{ host: '::1', port: 7 }] }],
  ['redis://ada@h', { ...server, username: 'ada' }],
  ['redis://:p%40ss@h', { ...server, password: 'p@ss' }],
  ['redis://a%3Ab:%25%23%2F%3F%2C@@h', { ...server, username: 'a:b', password: '%#/?,@' }],
  ['redis://h?family=6&db=2', { ...server, family: 6, db: 2 }],
  ['redis://h/2?db=2', { ...server, db: 2 }],
  ['redis://:p%2Cq@a:1/0, rediss://b:26379', { ...server, nodes: two, password: 'p,q' }],
  ['redis-sentinel://a:1,b/m', { ...server, nodes: two, master: 'm' }],
  ['redis-sentinel://a:1, redis-sentinel://b/m', { ...server, nodes: two, master: 'm' }],
  [
    'rediss-sentinel://ada:p%40ss@a:1,b:26379/my%20master/4?family=4',
    {
      ...server,
      nodes: two,
      master: 'my master',
      username: 'ada',
      password: 'p@ss',
      tls: true,
      db: 4,
      family: 4,
    },
  ],
])('%s is understood', (url, address) => {
  expect(parseRedisUrl(url)).toEqual(address)
})

test.each([
  ['h:6379', 'must be redis:// or'],
  ['http://h', 'must be redis:// or'],
  ['redis://a,b', 'must be redis:// or'],
  ['redis://a,redis-sentinel://b/m', 'must be redis:// or'],
  ['redis-sentinel://a,redis://b/m', 'must be redis:// or'],
  ['redis://:hunter2,x@h', '%2C'],
  ['redis://:hunter2/x@h', '%2F'],
  ['redis://ada:2/hunter2@h', 'by one number: in a user or password, write %'],
  ['redis://ada:2#hunter2@h', '%23'],
  ['redis://ada:2?hunter2@h', '%3F'],
  ['redis://:hunter2%@h', '%25'],
  ['redis://h/x', 'by one number'],
  ['redis://h/1/2', 'by one number'],
  ['redis://h/1?db=2', 'by one number'],
  ['redis://h?db=', 'by one number'],
  ['redis://h?family=5', 'family=4, 6'],
  ['redis://h?ssl=true', 'no parameters but db and family'],
  ['redis://a/3,redis://b', 'no numbered databases'],
  ['redis://a,redis://b?db=3', 'no numbered databases'],
  ['redis-sentinel://a,b', 'must end in /name-of-master'],
  ['redis-sentinel://a,b/m/x', 'by one number'],
])('%s is refused, and not quoted', (url, problem) => {
  const environment = {
    DATABASE_URL: 'postgresql://db',
    AUTH_ISSUER: 'https://auth.example.com',
    REDIS_URL: url,
  }
  expect(() => loadConfig(environment)).toThrow(ConfigError)
  expect(() => loadConfig(environment)).toThrow(/^REDIS_URL: /)
  expect(() => loadConfig(environment)).toThrow(problem)
  expect(() => loadConfig(environment)).not.toThrow('hunter2')
})

test('a place is named without user and password', () => {
  const said = (url: string) => describeRedisTrouble(new Error('NOAUTH'), url)
  expect(said('redis://ada:hunter2@h')).toMatch(/^Redis at h:6379 wants/)
  expect(said('redis-sentinel://ada:hunter2@a:1,b/m')).toMatch(
    /^Redis at m \(sentinels a:1, b:26379\) wants/,
  )
})

test.each([
  ['a password of every kind of character', ['>%#/?,@: é'], ':%25%23%2F%3F%2C@%3A%20%C3%A9@'],
  ['no password', ['nopass'], '@'],
])('a user with %s comes in', async (_, secret, given) => {
  const redis = await startRedisProcess()
  const admin = new Redis(redis.url)
  onTestFinished(() => redis.kill())
  onTestFinished(() => admin.disconnect())
  await admin.call('ACL', 'SETUSER', 'a:da', 'on', ...secret, '~*', '+@all')
  const at = redis.url.replace('127.0.0.1', 'localhost').replace('://', `://a%3Ada${given}`)
  const client = createRedis(`${at}/2?family=4`, { timeoutMs: 1000, onTrouble: () => {} })
  onTestFinished(() => client.disconnect())
  await client.connect()
  await client.commands.set('a', '1')
  expect(await client.commands.call('ACL', 'WHOAMI')).toBe('a:da')
  expect(await admin.info('keyspace')).toContain('db2:keys=1')
})
