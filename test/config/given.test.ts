import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ConfigError, loadConfig, loadPlace } from '../../src/config/config.ts'
import { findWarnings } from '../../src/config/warnings.ts'

const needed = {
  DATABASE_URL: 'postgresql://reader@db.example.com/identity',
  AUTH_ISSUER: 'https://auth.example.com',
}
const load = (environment: Readonly<Record<string, string>>) =>
  loadConfig({ ...needed, ...environment })
const problem = (text: string) => new ConfigError(text)

describe('a secret in a file', () => {
  let folder: string
  const file = (name: string) => join(folder, name)
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'identity-secrets-'))
    await writeFile(file('url'), 'postgresql://reader:s3cret@db.example.com/identity\n')
    await writeFile(file('redis'), 'redis://:s3cret@cache.example.com')
    await writeFile(file('secret'), ' blanks belong to it \r\n')
    await writeFile(file('quoted'), '"quoted"\n')
  })
  afterAll(() => rm(folder, { recursive: true }))

  test('counts as the variable, without the line break at its end', () => {
    const { database, redis, auth } = loadConfig({
      AUTH_ISSUER: needed.AUTH_ISSUER,
      AUTH_SESSIONS: 'on',
      DATABASE_URL_FILE: file('url'),
      DATABASE_LISTEN_URL_FILE: file('url'),
      REDIS_URL_FILE: file('redis'),
      BETTER_AUTH_SECRET_FILE: file('url'),
    })
    expect(database.url).toBe('postgresql://reader:s3cret@db.example.com/identity')
    expect(database.listenUrl).toBe(database.url)
    expect(redis?.url).toBe('redis://:s3cret@cache.example.com')
    expect(auth.sessions?.secret).toBe(database.url)
    expect(findWarnings({ DATABASE_URL_FILE: file('url'), NODE_ENV: 'test' })).toEqual([])
  })

  test('is looked at like any other value', () => {
    expect(() => load({ BETTER_AUTH_SECRET_FILE: file('secret') })).toThrow(
      problem('BETTER_AUTH_SECRET: begins or ends with a blank: write it without'),
    )
    expect(() => load({ BETTER_AUTH_SECRET_FILE: file('quoted') })).toThrow(/in quotes/)
  })

  test('that cannot be read, or stands beside the variable, is a problem', () => {
    expect(() => loadConfig({ AUTH_ISSUER: 'a', DATABASE_URL_FILE: file('none') })).toThrow(
      /^DATABASE_URL_FILE: cannot be read: ENOENT[^\n]*$/,
    )
    expect(() => load({ DATABASE_URL_FILE: file('url') })).toThrow(
      problem('DATABASE_URL_FILE: is set, and so is DATABASE_URL: take one away'),
    )
  })
})

test.each(['"https://auth.example.com"', "'https://auth.example.com'"])(
  'quotes that were not taken off are told of: %s',
  (value) => {
    expect(() => load({ AUTH_ISSUER: value })).toThrow(
      problem(
        'AUTH_ISSUER: is in quotes, which whatever set it did not take off: write it without them',
      ),
    )
  },
)

test.each([' https://auth.example.com', 'https://auth.example.com\t'])(
  'blanks at the ends are told of: %j',
  (value) => {
    expect(() => load({ AUTH_COOKIE_PREFIX: value })).toThrow(/^AUTH_COOKIE_PREFIX: begins or ends/)
  },
)

describe('the URL of the database', () => {
  test.each([
    ['?sslmode=require', '?sslmode=verify-full'],
    ['?a=b&sslmode=prefer&c=d', '?a=b&sslmode=verify-full&c=d'],
    ['?sslmode=verify-ca', '?sslmode=verify-full'],
    ...['?sslmode=require&uselibpqcompat=true', '?sslmode=no-verify', '?sslmode=disable'].map(
      (query) => [query, query],
    ),
  ])('%s is written as the driver takes it without a warning', (query, expected) => {
    const url = 'postgresql://db/identity'
    expect(load({ DATABASE_URL: `${url}${query}` }).database.url).toBe(`${url}${expected}`)
  })

  test.each([
    ['postgresql://u:p/w@db/identity', 'is no URL: write / # ? @ % : in its user'],
    ['postgresql://u:p#w@db/identity', 'is no URL'],
    ['postgresql://u:p?w@db/identity', 'is no URL'],
    ['postgresql://u%zz:p@db/identity', 'is no URL'],
    ['postgresql://u:p@a:5432,b:5432/identity', 'names several hosts'],
    ['postgresql://a,b/identity', 'names several hosts'],
    [
      'postgresql://db/identity?sslmode=bogus',
      'has the sslmode "bogus", which is none of disable,',
    ],
    [
      'postgresql://db/identity?sslrootcert=/nope.crt',
      'names files that cannot be read: sslrootcert=/nope.crt',
    ],
    ['mysql://db/identity', 'must be a URL that begins with postgresql:// or postgres://'],
    ['db/identity', 'must be a URL'],
  ])('%s is refused with a reason, and never quoted', (DATABASE_URL, reason) => {
    expect(() => load({ DATABASE_URL })).toThrow(`DATABASE_URL: ${reason}`)
    expect(() => loadPlace({ DATABASE_URL })).toThrow(`DATABASE_URL: ${reason}`)
    expect(() => load({ DATABASE_URL })).not.toThrow(/p.w@/)
  })

  test('may name a socket, with and without a user', () => {
    const url = (DATABASE_URL: string) => load({ DATABASE_URL }).database.url
    expect(url('postgresql://u:p@/identity?host=/run/pg&port=5433')).toBe(
      'postgresql://u:p@localhost/identity?host=/run/pg&port=5433',
    )
    expect(url('postgresql:///identity?host=/run/pg')).toBe('postgresql:///identity?host=/run/pg')
  })

  test('says what Prisma reads of it, unless a variable does', () => {
    const DATABASE_URL = `${needed.DATABASE_URL}?schema=staging&pgbouncer=true&connection_limit=3`
    expect(load({ DATABASE_URL }).database).toMatchObject({
      schema: 'staging',
      preparedStatements: false,
      poolSize: 3,
    })
    expect(loadPlace({ DATABASE_URL }).schema).toBe('staging')
    expect(
      load({ DATABASE_URL, DATABASE_POOL_SIZE: '5', DATABASE_PREPARED_STATEMENTS: 'on' }).database,
    ).toMatchObject({ poolSize: 5, preparedStatements: true })
    expect(() => load({ DATABASE_URL: `${needed.DATABASE_URL}?connection_limit=many` })).toThrow(
      /^DATABASE_POOL_SIZE: must be/,
    )
  })

  test.each([
    'schema=staging',
    'options=-c%20search_path%3Dstaging',
    'options=-csearch_path=staging,public',
    'options=--search_path=%22staging%22',
    'options=-c%20geqo%3Doff%20-c%20search_path%3Dstaging',
  ])('another schema than DATABASE_SCHEMA is refused: %s', (query) => {
    const DATABASE_URL = `${needed.DATABASE_URL}?${query}`
    expect(load({ DATABASE_URL }).database.schema).toBe('staging')
    expect(load({ DATABASE_URL, DATABASE_SCHEMA: 'staging' }).database.schema).toBe('staging')
    expect(() => load({ DATABASE_URL, DATABASE_SCHEMA: 'public' })).toThrow(
      'DATABASE_SCHEMA: is public, but DATABASE_URL says staging (schema or search_path): take one away',
    )
  })

  test('has its parameters named that change nothing', () => {
    const DATABASE_URL = `${needed.DATABASE_URL}?sslmode=require&schema=a&pool_timeout=5&channel_binding=require`
    expect(findWarnings({ DATABASE_URL, NODE_ENV: 'test' })).toEqual([
      'DATABASE_URL: its parameter pool_timeout changes nothing here',
      'DATABASE_URL: its parameter channel_binding changes nothing here',
    ])
  })
})

test('no metrics is what `off` says as well', () => {
  expect(load({ METRICS_PORT: 'off' }).http.metricsPort).toBeNull()
  expect(load({ METRICS_PORT: '9464' }).http.metricsPort).toBe(9464)
})

test.each([
  ['prod', 1],
  ['Production', 1],
  ['production', 0],
  ['development', 0],
  ['test', 0],
  ['staging', 1],
  ['', 1],
  [undefined, 1],
])('a NODE_ENV of %j is warned of %i times', (NODE_ENV, times) => {
  expect(findWarnings({ NODE_ENV })).toHaveLength(times)
  expect(findWarnings({ NODE_ENV, GRAPHIQL: 'on', INTROSPECTION: 'off' })).toEqual([])
})

test.each([
  [{ AUDIT_LOG_FILE: '/tmp/a' }, 1],
  [{ AUDIT_LOG_FILE: '/tmp/a', AUDIT_LOG: 'off' }, 1],
  [{ AUDIT_LOG_FILE: '/tmp/a', AUDIT_LOG: 'pii' }, 0],
  [{ AUDIT_LOG: 'pii' }, 0],
])('a file for records that are not wanted (%j) is warned of %i times', (environment, times) => {
  expect(findWarnings({ NODE_ENV: 'test', ...environment })).toHaveLength(times)
})
