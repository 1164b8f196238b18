import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ConfigError, loadConfig } from '../../src/config/config.ts'

const needed = {
  DATABASE_URL: 'postgresql://reader@db.example.com/identity',
  AUTH_ISSUER: 'https://auth.example.com',
}

const services = {
  SERVICE_ISSUER: 'https://services.example.com',
  SERVICE_AUDIENCE: 'identity-gateway',
  SERVICE_JWKS_URL: 'https://services.example.com/jwks',
}

/** The variables that are complained about, one for each line. */
function complaints(environment: Readonly<Record<string, string | undefined>>): string[] {
  try {
    loadConfig(environment)
    return []
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    return error.message.split('\n').map((line) => line.split(':', 1)[0] ?? line)
  }
}

test('two variables are enough; the others have the defaults that are documented', () => {
  expect(loadConfig(needed)).toMatchObject({
    database: {
      url: needed.DATABASE_URL,
      schema: 'public',
      poolSize: 10,
      statementTimeoutMs: 2000,
      preparedStatements: true,
      listenUrl: needed.DATABASE_URL,
    },
    redis: null,
    auth: {
      issuer: [needed.AUTH_ISSUER],
      audience: [needed.AUTH_ISSUER],
      algorithms: ['EdDSA', 'ES256', 'ES512', 'RS256', 'PS256'],
      jwks: 'database',
    },
    service: null,
    permissions: { accessControl: null, dynamic: false, ttlSeconds: 300, events: 'off' },
    betterAuthUrl: null,
    federation: false,
    subgraph: { prefix: '', mostReferences: 1000 },
    platformAdmins: { roles: ['admin'], userIds: [] },
    http: {
      host: null,
      port: 4000,
      environment: 'development',
      graphiql: true,
      introspection: true,
      corsOrigins: [],
      trustProxy: 'off',
      trustProxyHeader: 'x-forwarded-for',
      keepAliveTimeoutMs: 65_000,
      metricsHost: null,
      batchLimit: 10,
      trustedDocuments: null,
    },
    limits: {
      document: { depth: 12, aliases: 100, directives: 50, tokens: 2000, cost: 10_000 },
      bodyBytes: 102_400,
      ratePerMinute: null,
    },
    logLevel: 'info',
    accessLog: 1,
    audit: null,
  })
})

test('an empty variable counts as absent', () => {
  expect(loadConfig({ ...needed, REDIS_URL: '', PORT: '', SERVICE_ISSUER: '' })).toEqual(
    loadConfig(needed),
  )
  expect(complaints({ DATABASE_URL: '', AUTH_ISSUER: '' })).toEqual(['DATABASE_URL', 'AUTH_ISSUER'])
})

test('every variable is read', () => {
  const config = loadConfig({
    ...needed,
    ...services,
    DATABASE_LISTEN_URL: 'postgresql://db.example.com:6432/identity',
    DATABASE_SCHEMA: 'auth',
    PERMISSION_EVENTS: 'postgres',
    SERVICE_SUBJECTS: 'gty=client-credentials, sub=*@clients',
    DATABASE_POOL_SIZE: '3',
    DATABASE_STATEMENT_TIMEOUT_MS: '500',
    DATABASE_PREPARED_STATEMENTS: 'off',
    REDIS_URL: 'rediss://a:1,redis://b:2',
    REDIS_KEY_PREFIX: 'p:',
    REDIS_TIMEOUT_MS: '50',
    AUTH_AUDIENCE: 'gateway',
    AUTH_ALGORITHMS: ' ES256 , PS256,',
    AUTH_JWKS: 'https://auth.example.com/jwks',
    DYNAMIC_ACCESS_CONTROL: 'on',
    PERMISSION_CACHE_TTL_SECONDS: '60',
    PLATFORM_ADMIN_ROLES: 'staff, boss',
    PLATFORM_ADMIN_USER_IDS: 'u1, u2',
    BETTER_AUTH_URL: 'https://auth.example.com/api/auth',
    FEDERATION: 'on',
    FEDERATION_PREFIX: 'Identity',
    LIMIT_REFERENCES: '50',
    HOST: '127.0.0.1',
    PORT: '0',
    CORS_ORIGINS: 'https://app.example.com, http://localhost:5173',
    LIMIT_BATCH: '1',
    TRUST_PROXY: '10.0.0.0/8, fd00::/8,192.0.2.1',
    TRUST_PROXY_HEADER: 'CF-Connecting-IP',
    KEEP_ALIVE_TIMEOUT_MS: '620000',
    METRICS_HOST: '::1',
    LIMIT_DEPTH: '6',
    LIMIT_ALIASES: '7',
    LIMIT_DIRECTIVES: '8',
    LIMIT_TOKENS: '9',
    LIMIT_COST: '10',
    LIMIT_BODY_BYTES: '11',
    RATE_LIMIT_PER_MINUTE: '12',
    LOG_LEVEL: 'silent',
    ACCESS_LOG: '0.5%',
    AUDIT_LOG: 'pii',
    AUDIT_LOG_FILE: '/var/log/audit.log',
  })
  expect(config).toMatchObject({
    database: {
      schema: 'auth',
      poolSize: 3,
      statementTimeoutMs: 500,
      preparedStatements: false,
      listenUrl: 'postgresql://db.example.com:6432/identity',
    },
    redis: { url: 'rediss://a:1,redis://b:2', keyPrefix: 'p:', timeoutMs: 50 },
    auth: {
      audience: ['gateway'],
      algorithms: ['ES256', 'PS256'],
      jwks: new URL('https://auth.example.com/jwks'),
    },
    service: {
      issuer: [services.SERVICE_ISSUER],
      audience: [services.SERVICE_AUDIENCE],
      keySets: [{ issuer: [services.SERVICE_ISSUER], jwksUrl: new URL(services.SERVICE_JWKS_URL) }],
      subjects: [
        { claim: 'gty', pattern: 'client-credentials' },
        { claim: 'sub', pattern: '*@clients' },
      ],
    },
    permissions: { dynamic: true, ttlSeconds: 60, events: 'postgres' },
    platformAdmins: { roles: ['staff', 'boss'], userIds: ['u1', 'u2'] },
    betterAuthUrl: new URL('https://auth.example.com/api/auth'),
    federation: true,
    subgraph: { prefix: 'Identity', mostReferences: 50 },
    http: {
      host: '127.0.0.1',
      port: 0,
      corsOrigins: ['https://app.example.com', 'http://localhost:5173'],
      trustProxy: ['10.0.0.0/8', 'fd00::/8', '192.0.2.1'],
      trustProxyHeader: 'cf-connecting-ip',
      keepAliveTimeoutMs: 620_000,
      metricsHost: '::1',
      batchLimit: 1,
    },
    limits: {
      document: { depth: 6, aliases: 7, directives: 8, tokens: 9, cost: 10 },
      bodyBytes: 11,
      ratePerMinute: 12,
    },
    logLevel: 'silent',
    accessLog: 0.005,
    audit: { decisions: false, pii: true, file: '/var/log/audit.log' },
  })
})

test.each([
  ['on', 1],
  ['errors', 0],
  ['off', null],
  ['100%', 1],
  ['2.5%', 0.025],
])('ACCESS_LOG=%s is this share of the requests without an error: %s', (ACCESS_LOG, share) => {
  expect(loadConfig({ ...needed, ACCESS_LOG }).accessLog).toBe(share)
})

describe('everything that is wrong is told at once', () => {
  const wrong: Record<string, string> = {
    DATABASE_URL: 'mysql://db',
    DATABASE_POOL_SIZE: '0',
    DATABASE_STATEMENT_TIMEOUT_MS: '2s',
    REDIS_URL: 'redis://a,b',
    REDIS_TIMEOUT_MS: '-1',
    AUTH_ALGORITHMS: 'EdDSA,HS256',
    AUTH_JWKS: 'file:///keys',
    SERVICE_JWKS_URL: 'nowhere',
    SERVICE_SUBJECTS: 'sub=*',
    DYNAMIC_ACCESS_CONTROL: 'yes',
    PERMISSION_CACHE_TTL_SECONDS: '301',
    PORT: '65536',
    FEDERATION: '2',
    GRAPHIQL: 'true',
    INTROSPECTION: '1',
    TRUST_PROXY: 'on',
    LIMIT_DEPTH: 'abc',
    LIMIT_ALIASES: '0',
    LIMIT_DIRECTIVES: '-1',
    LIMIT_TOKENS: '2e3',
    LIMIT_COST: '1.5',
    LIMIT_BODY_BYTES: '100k',
    RATE_LIMIT_PER_MINUTE: '0',
    CORS_ORIGINS: '*',
    LIMIT_BATCH: '0',
    LOG_LEVEL: 'loud',
    ACCESS_LOG: '101%',
    AUDIT_LOG: 'on',
  }

  test('one line for each variable', () => {
    const all = complaints(wrong)
    expect(new Set(all)).toEqual(
      new Set([...Object.keys(wrong), 'AUTH_ISSUER', 'SERVICE_ISSUER', 'SERVICE_AUDIENCE']),
    )
    expect(all).toHaveLength(new Set(all).size)
  })

  test.each(Object.entries(wrong))('%s=%s', (name, value) => {
    expect(complaints({ ...needed, ...services, [name]: value })).toEqual([name])
  })

  test.each(['none', 'HS256', 'HS384', 'HS512', ' , '])('the algorithm %j is not one', (value) => {
    expect(complaints({ ...needed, AUTH_ALGORITHMS: value })).toEqual(['AUTH_ALGORITHMS'])
  })

  test.each([
    ['LIMIT_DEPTH', '2000', 'must be a whole number from 1 to 1000'],
    ['LIMIT_DEPTH', 'deep', 'must be a whole number from 1 to 1000'],
    ['LIMIT_BODY_BYTES', '100k', 'must be a whole number from 1 to 100000000, in bytes'],
    ['REDIS_TIMEOUT_MS', '1s', 'must be a whole number from 1 to 60000, in milliseconds'],
    ['RATE_LIMIT_PER_MINUTE', '0', 'must be off, or a whole number from 1 to 10000000'],
    ['FEDERATION', 'true', 'must be on or off'],
    ...['UTC+9', '+09:00', 'KST', 'Asia/Soul'].map((zone) => [
      ...['DATABASE_TIMESTAMP_ZONE', zone],
      'must be the name of a time zone, such as Asia/Seoul',
    ]),
    ['PERMISSION_EVENTS', 'kafka', 'must be one of redis, postgres, off'],
    ['LOG_LEVEL', 'loud', 'must be one of trace, debug, info, warn, error, fatal, silent'],
    ...['toString', '%', '1.2.3%', '-1%', '1'].map((share) => [
      ...['ACCESS_LOG', share],
      'must be on, errors, off, or a percentage such as 1%',
    ]),
    [
      'AUTH_JWKS',
      'file:///keys',
      'must be database, or a URL that begins with http:// or https://',
    ],
    ['TRUST_PROXY_HEADER', 'x forwarded', 'must be the name of a header'],
    ['KEEP_ALIVE_TIMEOUT_MS', '0', 'must be a whole number from 1 to 86400000, in milliseconds'],
    [
      'TRUST_PROXY',
      '11',
      'must be off, or a number of proxies from 1 to 10, or their addresses (10.0.0.0/8), separated by commas',
    ],
  ])('%s=%s is told what is accepted', (name, value, problem) => {
    expect(() => loadConfig({ ...needed, [name]: value })).toThrow(
      new ConfigError(`${name}: ${problem}`),
    )
  })

  test('without the values, which may be secrets', () => {
    const secret = 'hunter2'
    expect(() => loadConfig({ DATABASE_URL: `mysql://me:${secret}@db` })).toThrow(
      expect.objectContaining({ message: expect.not.stringContaining(secret) }),
    )
  })
})

test.each([
  [{ PORT: '4000', METRICS_PORT: '4000' }, ['METRICS_PORT']],
  [{ METRICS_PORT: '4000' }, ['METRICS_PORT']],
  [{ PORT: '0', METRICS_PORT: '0' }, []],
  [{ HOST: '127.0.0.1', METRICS_HOST: '127.0.0.2', METRICS_PORT: '4000' }, []],
])('one port is not for two: %j', (given, expected) => {
  expect(complaints({ ...needed, ...given })).toEqual(expected)
})

test.each([
  [{}, ['https://auth.example.com/api/auth']],
  [
    { AUTH_ISSUER: 'https://auth.example.com/id, urn:auth' },
    ['https://auth.example.com/id', 'urn:auth'],
  ],
  [
    { OAUTH_ISSUER: 'https://a.example.com, https://b.example.com' },
    ['https://a.example.com', 'https://b.example.com'],
  ],
])('tokens of apps are of the issuer that Better Auth has by default: %j', (given, issuer) => {
  const audience = ['https://identity.example.com/graphql', 'urn:identity']
  const { auth } = loadConfig({ ...needed, OAUTH_AUDIENCE: audience.join(', '), ...given })
  expect(auth.oauth).toEqual({ issuer, audience })
})

test('tokens of apps are accepted where it is said for what resource', () => {
  expect(loadConfig(needed).auth.oauth).toBeNull()
  expect(complaints({ ...needed, OAUTH_ISSUER: 'https://a.example.com' })).toEqual([
    'OAUTH_AUDIENCE',
  ])
})

test.each([
  [{}, null],
  [{ OAUTH_AUDIENCE: 'urn:identity, https://identity.example.com/graphql' }, null],
  [
    { OAUTH_AUDIENCE: 'https://identity.example.com/graphql?a=b, urn:identity' },
    'https://identity.example.com/graphql',
  ],
  [{ OAUTH_AUDIENCE: 'https://identity.example.com' }, 'https://identity.example.com/graphql'],
  [
    {
      OAUTH_AUDIENCE: 'https://identity.example.com',
      PUBLIC_URL: 'https://API.example.com:443/who/',
    },
    'https://api.example.com/who/',
  ],
  [{ PUBLIC_URL: 'http://api.example.com:8080/' }, 'http://api.example.com:8080/graphql'],
])('what clients ask is the URL that is given, or the resource: %j', (given, url) => {
  expect(loadConfig({ ...needed, ...given }).auth.publicUrl).toBe(url)
})

describe('the service issuer', () => {
  test.each([
    [['SERVICE_AUDIENCE', 'SERVICE_JWKS_URL'], ['SERVICE_ISSUER']],
    [['SERVICE_ISSUER', 'SERVICE_JWKS_URL'], ['SERVICE_AUDIENCE']],
    [['SERVICE_ISSUER', 'SERVICE_AUDIENCE'], ['SERVICE_JWKS_URL']],
    [['SERVICE_ISSUER'], ['SERVICE_AUDIENCE', 'SERVICE_JWKS_URL']],
    [['SERVICE_JWKS_URL'], ['SERVICE_ISSUER', 'SERVICE_AUDIENCE']],
    [Object.keys(services), []],
  ])('given %j, what lacks is %j', (given, lacking) => {
    const some = Object.entries(services).filter(([name]) => given.includes(name))
    expect(complaints({ ...needed, ...Object.fromEntries(some) })).toEqual(lacking)
  })

  test('has keys of its own where there are several, or one URL for all', () => {
    const [first, second] = ['https://a.example.com/jwks', 'https://b.example.com/jwks?a=1']
    const withUrls = (SERVICE_JWKS_URL: string, SERVICE_ISSUER = 'a, b') => ({
      ...needed,
      ...services,
      SERVICE_ISSUER,
      SERVICE_JWKS_URL,
    })
    const keySetsOf = (given: string, issuers?: string) =>
      loadConfig(withUrls(given, issuers)).service?.keySets.map(({ issuer, jwksUrl }) => [
        jwksUrl.href,
        ...issuer,
      ])
    expect(keySetsOf(`${first}, ${second}`)).toEqual([
      [first, 'a'],
      [second, 'b'],
    ])
    expect(keySetsOf(first)).toEqual([[first, 'a', 'b']])
    expect(keySetsOf(`${second},2`, 'a')).toEqual([[`${second},2`, 'a']])
    for (const issuers of ['a', 'a, b, c'])
      expect(complaints(withUrls(`${first}, ${second}`, issuers))).toEqual(['SERVICE_JWKS_URL'])
  })

  test.each([
    '*',
    'sub',
    'sub=',
    'sub=**',
    '=a',
    '*=a',
    'sub=a,azp',
    'iss=*.example.com',
    'aud=me',
    'scope=*identity:read*',
    'sub=svc-*, azp=payroll',
    ' , ',
  ])('has no marks of services that are %j', (value) => {
    expect(complaints({ ...needed, ...services, SERVICE_SUBJECTS: value })).toEqual([
      'SERVICE_SUBJECTS',
    ])
  })

  test('is needed where marks of services are given', () => {
    expect(complaints({ ...needed, SERVICE_SUBJECTS: 'sub=*@clients' })).toEqual([
      ...Object.keys(services),
    ])
  })

  test('differs from the issuer of users', () => {
    expect(complaints({ ...needed, ...services, SERVICE_ISSUER: needed.AUTH_ISSUER })).toEqual([
      'SERVICE_ISSUER',
    ])
  })
})

test.each([
  '*',
  'null',
  'app.example.com',
  'https://app.example.com/',
  'https://App.example.com',
  'https://app.example.com:443',
  'https://*.example.com',
  'https://a.example.com,https://b.example.com/path',
])('%s is no list of origins as browsers send them', (value) => {
  expect(complaints({ ...needed, CORS_ORIGINS: value })).toEqual(['CORS_ORIGINS'])
})

describe('GraphiQL and introspection', () => {
  const shown = (environment: Readonly<Record<string, string>>) => {
    const { graphiql, introspection } = loadConfig({ ...needed, ...environment }).http
    return [graphiql, introspection]
  }
  test.each([
    [{}, [true, true]],
    [{ NODE_ENV: 'staging' }, [true, true]],
    [{ NODE_ENV: 'production' }, [false, false]],
    [{ NODE_ENV: 'production', GRAPHIQL: 'on' }, [true, false]],
    [{ NODE_ENV: 'production', INTROSPECTION: 'on' }, [false, true]],
    [{ GRAPHIQL: 'off', INTROSPECTION: 'off' }, [false, false]],
  ])('with %j are %j', (environment, expected) => {
    expect(shown(environment)).toEqual(expected)
  })
})

describe('the access control file', () => {
  let directory: string

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'identity-config-'))
  })
  afterAll(() => rm(directory, { recursive: true }))

  test('is read as JSON', async () => {
    const file = join(directory, 'roles.json')
    const roles = { owner: { leave: ['approve'] } }
    await writeFile(file, JSON.stringify({ roles }))
    const { permissions } = loadConfig({ ...needed, ACCESS_CONTROL_FILE: file })
    expect(permissions.accessControl).toEqual({ roles })
  })

  test('that is missing or no JSON is a problem like any other', async () => {
    const file = join(directory, 'broken.json')
    await writeFile(file, '{')
    for (const path of [file, join(directory, 'missing.json')])
      expect(complaints({ ...needed, ACCESS_CONTROL_FILE: path, PORT: 'x' })).toEqual([
        'ACCESS_CONTROL_FILE',
        'PORT',
      ])
  })
})

describe('TRUST_PROXY', () => {
  const read = (TRUST_PROXY: string) => loadConfig({ ...needed, TRUST_PROXY }).http.trustProxy
  test('is off, a number of proxies, or their addresses', () => {
    expect(read('off')).toBe('off')
    expect(read('2')).toBe(2)
    expect(read('127.0.0.1,::1')).toEqual(['127.0.0.1', '::1'])
  })
  test.each(['0', '11', 'true', 'localhost', '10.0.0.0/33', '10.0.0.1,proxy', ' , '])(
    'is not %j',
    (value) => {
      expect(complaints({ ...needed, TRUST_PROXY: value })).toEqual(['TRUST_PROXY'])
    },
  )
})

test('the configuration cannot be changed', () => {
  expect(Object.isFrozen(loadConfig(needed))).toBe(true)
})

test('news over Redis need a Redis', () => {
  expect(complaints({ ...needed, PERMISSION_EVENTS: 'redis' })).toEqual(['REDIS_URL'])
  expect(complaints({ ...needed, PERMISSION_EVENTS: 'kafka' })).toEqual(['PERMISSION_EVENTS'])
  const numbered = 'redis://a.example:1/3,redis://b.example:2'
  expect(complaints({ ...needed, REDIS_URL: numbered })).toEqual(['REDIS_URL'])
  expect(complaints({ ...needed, REDIS_URL: numbered.replace('/3', '/0') })).toEqual([])
  const REDIS_URL = 'redis://cache.example.com'
  expect(complaints({ ...needed, PERMISSION_EVENTS: 'redis', REDIS_URL })).toEqual([])
})

test('a subgraph answers what routers send, so documents cannot be listed beside it', () => {
  const file = 'schema.graphql'
  const environment = { ...needed, FEDERATION: 'on', TRUSTED_DOCUMENTS_FILE: file }
  expect(() => loadConfig(environment)).toThrow(
    'TRUSTED_DOCUMENTS_FILE: is of no use with FEDERATION=on',
  )
})

test('API keys are off unless they are on, and their header is none of other credentials', () => {
  expect(loadConfig(needed).auth.apiKeys).toBeNull()
  const on = { ...needed, AUTH_API_KEYS: 'on' }
  expect(loadConfig(on).auth.apiKeys).toEqual({ header: 'x-api-key', organizationConfigs: [] })
  const AUTH_API_KEY_ORGANIZATIONS = 'machines, robots'
  expect(
    loadConfig({ ...on, AUTH_API_KEY_HEADER: 'X-Key', AUTH_API_KEY_ORGANIZATIONS }).auth.apiKeys,
  ).toEqual({ header: 'x-key', organizationConfigs: ['machines', 'robots'] })
  expect(complaints({ ...needed, AUTH_API_KEY_ORGANIZATIONS })).toEqual(['AUTH_API_KEYS'])
  for (const AUTH_API_KEY_HEADER of ['Authorization', 'DPoP', 'cookie', 'x-request-id', 'x key'])
    expect(complaints({ ...on, AUTH_API_KEY_HEADER })).toEqual(['AUTH_API_KEY_HEADER'])
})

test.each([
  [{ FEDERATION_PREFIX: 'Identity' }, 'FEDERATION_PREFIX: is of use with FEDERATION=on alone'],
  [
    { FEDERATION: 'on', FEDERATION_PREFIX: 'identity' },
    'FEDERATION_PREFIX: must be a word of letters and digits that begins with a capital',
  ],
  [{ FEDERATION: 'on', FEDERATION_PREFIX: 'A b' }, 'FEDERATION_PREFIX: must be'],
  [{ FEDERATION: 'on', LIMIT_REFERENCES: '10001' }, 'LIMIT_REFERENCES: must be'],
])('%j is no subgraph', (environment, complaint) => {
  expect(() => loadConfig({ ...needed, ...environment })).toThrow(complaint)
})
