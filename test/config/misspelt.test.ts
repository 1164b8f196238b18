import { expect, test } from 'vitest'
import { groups } from '../../src/config/config.ts'
import { findMisspelt } from '../../src/config/misspelt.ts'

test.each([
  ['LIMT_DEPTH', 'LIMIT_DEPTH'],
  ['DATABSE_URL', 'DATABASE_URL'],
  ['DTAABASE_URL', 'DATABASE_URL'],
  ['DATABASE_URI', 'DATABASE_URL'],
  ['REDIS_URLS', 'REDIS_URL'],
  ['AUTH_ISUER', 'AUTH_ISSUER'],
  ['database_url', 'DATABASE_URL'],
  ['DATABASE_POLL_SIZES', 'DATABASE_POOL_SIZE'],
  ['LIMIT_BODY', 'LIMIT_BODY_BYTES'],
  ['LIMIT_ALIAS_COUNT', 'LIMIT_ALIASES'],
  ['PERMISSION_CACHE_TTL', 'PERMISSION_CACHE_TTL_SECONDS'],
  ['TRUSTED_DOCUMENTS', 'TRUSTED_DOCUMENTS_FILE'],
  ['DATABASE_STATEMENT_TIMEOUT', 'DATABASE_STATEMENT_TIMEOUT_MS'],
  ['SERVICE_JWKS', 'SERVICE_JWKS_URL'],
])('%s is said to mean %s', (name, meant) => {
  expect(findMisspelt({ [name]: 'value' })).toEqual([
    `${name}: is not a variable of the gateway; did you mean ${meant}?`,
  ])
})

test('what platforms set themselves is left alone, and so are our own and what is empty', () => {
  const others = [
    ...['DATABASE_HOST', 'DATABASE_PORT', 'DATABASE_NAME', 'DATABASE_USER', 'DATABASE_PASSWORD'],
    ...['DATABASE_SSL', 'DATABASE_URL_UNPOOLED', 'DIRECT_DATABASE_URL', 'POSTGRES_URL', 'PGHOST'],
    ...['REDIS_HOST', 'REDIS_PORT', 'REDIS_PASSWORD', 'REDIS_TLS_URL', 'REDIS_SERVICE_HOST'],
    ...['AUTH_TRUST_HOST', 'AUTH_SECRET', 'AUTH_URL', 'BETTER_AUTH_TELEMETRY', 'SERVICE_NAME'],
    ...['HOSTNAME', 'HOSTTYPE', 'HOSTS', 'POST', 'PATH', 'HOME', 'NODE_OPTIONS', 'NODE_PATH'],
    ...['KUBERNETES_SERVICE_HOST', 'METRICS_PORT_9090_TCP', 'OTEL_SERVICE_NAME', 'FORCE_COLOR'],
    ...['host', 'port', 'npm_config_loglevel', 'CORS_ORIGIN_WHITELIST', 'LOGNAME', 'RATE_LIMIT'],
  ]
  const ours = groups.flatMap(({ variables }) => Object.keys(variables))
  const environment = Object.fromEntries([...others, ...ours].map((name) => [name, 'value']))
  expect(findMisspelt({ ...environment, LIMT_DEPTH: '', LIMIT_FOO: undefined })).toEqual([])
})
