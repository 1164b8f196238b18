import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import pg from 'pg'
import { afterEach, describe, expect, test } from 'vitest'
import { type Server, startServer } from '../../src/http/server.ts'
import type { GatewayUnderTest } from '../support/gateway.ts'
import { countTurns } from '../support/loop.ts'
import { findSecret } from '../support/planted.ts'
import { world } from '../support/world.ts'

const { gatewayWith, identity, services, sql, ada } = await world({ own: true })
await sql("update users set name = 'Ada Lovelace' where id = $1", [ada.id])
const token = await ada.jwt()
let gateway: GatewayUnderTest
let server: Server

afterEach(() => server.stop())

async function serve(environment: Readonly<Record<string, string>> = {}): Promise<void> {
  gateway = gatewayWith({
    DATABASE_STATEMENT_TIMEOUT_MS: '60000',
    METRICS_PORT: '0',
    ...environment,
  })
  server = await startServer(gateway, { host: '127.0.0.1', port: 0 })
}

interface Line {
  readonly msg: string
  readonly requestId: string
  readonly [field: string]: unknown
}

const lines = (): Line[] => gateway.logged.map((line) => JSON.parse(line))
const lineOf = (id: string) =>
  expect.poll(() => lines().find((line) => line.requestId === id && line.msg === 'request'))

interface Asked {
  readonly query?: string
  readonly body?: string
  readonly bearer?: string | null
  readonly headers?: Readonly<Record<string, string>>
  readonly signal?: AbortSignal
}

async function post({ query, body, bearer = token, headers = {}, signal }: Asked) {
  const response = await fetch(`${server.url}/graphql`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      ...(bearer === null ? {} : { authorization: `Bearer ${bearer}` }),
      ...headers,
    },
    body: body ?? JSON.stringify({ query }),
    ...(signal && { signal }),
  })
  const text = await response.text()
  return {
    status: response.status,
    headers: response.headers,
    id: response.headers.get('x-request-id') ?? '',
    text,
    answer: text.startsWith('{') ? JSON.parse(text) : undefined,
  }
}

/** Holds up every read of a table. */
async function lock(table: string) {
  const client = new pg.Client({ connectionString: identity.ownerUrl })
  await client.connect()
  await client.query(`begin; lock table ${table} in access exclusive mode`)
  return async () => {
    await client.query('commit')
    await client.end()
  }
}

const lockUsers = () => lock('users')

/** How many statements of the gateway PostgreSQL is running. */
const running = async () =>
  (
    await sql(
      "select 1 from pg_stat_activity where application_name = 'identity-gateway' and state = 'active' and datname = current_database()",
    )
  ).length

const viewer = 'query Mine { viewer { name } }'

describe('one id is in the header, the log and every error', () => {
  test('given by the client', async () => {
    await serve()
    const { id, answer } = await post({
      query: '{ viewer { name } users { nodes { id } } organizations { nodes { id } } }',
      headers: { 'x-request-id': 'from-the-client' },
    })
    expect(id).toBe('from-the-client')
    expect(answer.errors).toMatchObject(
      [0, 1].map(() => ({ extensions: { code: 'FORBIDDEN', requestId: id } })),
    )
    await lineOf(id).toMatchObject({ codes: ['FORBIDDEN'], status: 200 })
  })

  test.each<[string, Asked, number, string]>([
    ['a syntax error', { query: '{' }, 200, 'GRAPHQL_PARSE_FAILED'],
    ['an unknown field', { query: '{ nothing }' }, 200, 'GRAPHQL_VALIDATION_FAILED'],
    ['a body that is not JSON', { body: '{' }, 400, 'BAD_REQUEST'],
    ['a mutation', { query: 'mutation { a }' }, 200, 'READ_ONLY'],
    ['a bad credential', { query: viewer, bearer: 'no.such.token' }, 401, 'UNAUTHENTICATED'],
  ])('of %s', async (_what, asked, status, code) => {
    await serve()
    const { id, answer, ...response } = await post(asked)
    expect(response.status).toBe(status)
    expect(answer.errors).toMatchObject([{ extensions: { code, requestId: id } }])
    await lineOf(id).toMatchObject({ status, codes: [code], method: 'POST', path: '/graphql' })
  })

  test('of what is not there, and of a batch', async () => {
    await serve()
    const missing = await fetch(`${server.url}/nothing?token=${token}`)
    await lineOf(missing.headers.get('x-request-id') ?? '').toMatchObject({
      status: 404,
      path: '/nothing',
    })
  })

  test('of an error on our side, whose cause is in the log under that id', async () => {
    await serve({ DATABASE_STATEMENT_TIMEOUT_MS: '100' })
    const release = await lockUsers()
    const { id } = await post({ query: viewer })
    await release()
    const cause = lines().find((line) => line.requestId === id && line.msg === 'unexpected error')
    expect(cause).toMatchObject({ error: { code: 'TIMEOUT' } })
  })
})

test('a line says who asked for what, and nothing that a client chose', async () => {
  await serve()
  const service = await services.token('identity:read')
  for (const [bearer, caller] of [
    [token, 'user'],
    [service, 'service'],
    [null, 'anonymous'],
  ] as const) {
    const { id } = await post({ query: viewer, bearer })
    await lineOf(id).toEqual({
      level: 'info',
      time: expect.any(String),
      service: 'identity-gateway',
      version: expect.any(String),
      msg: 'request',
      requestId: id,
      method: 'POST',
      path: '/graphql',
      status: 200,
      durationMs: expect.any(Number),
      operations: [{ type: 'query', name: null }],
      caller,
    })
  }
})

test.each<[string, readonly number[]]>([
  ['on', [200, 200, 401]],
  ['errors', [200, 401]],
  ['0.0000001%', [200, 401]],
  ['off', []],
])('with ACCESS_LOG=%s the requests that have a line are %s', async (share, statuses) => {
  await serve({ ACCESS_LOG: share, DATABASE_STATEMENT_TIMEOUT_MS: '100' })
  await post({ query: viewer })
  const release = await lockUsers()
  await post({ query: viewer })
  await release()
  await post({ query: viewer, bearer: 'no.such.token' })
  const requests = () => lines().filter(({ msg }) => msg === 'request')
  await expect.poll(() => requests().map(({ status }) => status)).toEqual(statuses)
  // Of other lines all are there, and of the count all.
  expect(lines().filter(({ msg }) => msg === 'unexpected error')).toHaveLength(1)
  expect(await gateway.metrics?.print()).toContain('responses_total{status="2xx"} 2')
})

test('no line and no metric holds a planted secret, a credential, an address, a name or a value', async () => {
  await serve({ DATABASE_STATEMENT_TIMEOUT_MS: '200', LOG_LEVEL: 'trace' })
  const rows = await sql<{ secret: string }>(`
    select token as secret from sessions union all select password from accounts
    union all select private_key from jwks union all select secret from two_factors`)
  const secrets = rows.map(({ secret }) => secret).filter((secret) => secret !== null)
  expect(secrets.length).toBeGreaterThanOrEqual(4)
  const texts = [...secrets, ada.email, ada.name, ada.id, token, ada.session]
  for (const text of texts) {
    const value = JSON.stringify(text)
    await post({ query: `query Q { userByEmail(email: ${value}) { name } }` })
    await post({ query: `query Q { user(id: ${value}) { nothing } }` })
    await post({ query: `{ user(id: ${value}`, headers: { 'x-trace': text } })
    await post({
      query: viewer,
      bearer: text,
      headers: { cookie: `better-auth.session_token=${text}` },
    })
    await fetch(
      `${server.url}/graphql?query=${encodeURIComponent(`{ user(id: ${value}) { id } }`)}`,
    )
  }
  const release = await lockUsers()
  await post({ query: `query Q { userByEmail(email: "${ada.email}") { name } }` })
  await release()
  await expect.poll(() => lines().length).toBeGreaterThan(5 * texts.length)
  const out = `${gateway.logged.join('\n')}\n${await gateway.metrics?.print()}`
  expect(findSecret(out)).toBeNull()
  for (const text of texts) expect(out).not.toContain(text)
})

describe('past its deadline', () => {
  test('a request is answered TIMEOUT, and PostgreSQL runs nothing of it', async () => {
    await serve({ REQUEST_TIMEOUT_MS: '400' })
    await post({ query: viewer })
    const release = await lockUsers()
    const asked = post({ query: '{ viewer { name organizations { nodes { name } } } }' })
    await expect.poll(running).toBe(1)
    const { answer, id } = await asked
    expect(answer.errors).toMatchObject([{ extensions: { code: 'TIMEOUT' } }])
    // The lock still holds, so what is gone was cancelled.
    await expect.poll(running).toBe(0)
    await release()
    await lineOf(id).toMatchObject({ codes: ['TIMEOUT'] })
    expect(await gateway.metrics?.print()).toMatch(
      /sql_statement_seconds_count\{outcome="cancelled"\} 1/,
    )
    expect((await post({ query: viewer })).answer.data.viewer.name).toBe('Ada Lovelace')
  })

  test('a client that has gone leaves nothing running either, and no error in the log', async () => {
    await serve()
    await post({ query: viewer })
    const release = await lockUsers()
    const gone = new AbortController()
    const asked = post({
      query: viewer,
      signal: gone.signal,
      headers: { 'x-request-id': 'of-the-one-gone' },
    })
    const cut = expect(asked).rejects.toThrow()
    await expect.poll(running).toBe(1)
    gone.abort()
    await cut
    await expect.poll(running).toBe(0)
    await release()
    await lineOf('of-the-one-gone').toMatchObject({ status: 499 })
    expect(await gateway.metrics?.print()).toContain('responses_total{status="aborted"} 1')
    expect(lines().filter(({ msg }) => msg === 'unexpected error')).toEqual([])
  })

  test('what others wait for as well goes on', async () => {
    await serve()
    const organizationId = (await sql<{ id: string }>('select id from organizations'))[0]?.id
    const query = `{ can(permission: "member:create", organizationId: "${organizationId}") }`
    await post({ query: viewer })
    const release = await lockUsers()
    const gone = new AbortController()
    const headers = { 'x-request-id': 'first-of-two' }
    const first = expect(post({ query, headers, signal: gone.signal })).rejects.toThrow()
    await expect.poll(running).toBe(1)
    const second = post({ query })
    await expect
      .poll(async () =>
        /coalesced_total\{kind="permissions"\} 1/.test((await gateway.metrics?.print()) ?? ''),
      )
      .toBe(true)
    gone.abort()
    await first
    await lineOf('first-of-two').toMatchObject({ status: 499 })
    await release()
    expect((await second).answer).toEqual({ data: { can: true } })
  })
})

test('whoever waits for what others wait for too is answered at their own deadline', async () => {
  await serve({ REQUEST_TIMEOUT_MS: '400' })
  const organizationId = (await sql<{ id: string }>('select id from organizations'))[0]?.id
  const check = `permission: "member:create", organizationId: "${organizationId}"`
  const can = `{ can(${check}) }`
  const viewerCan = '{ viewer { organizations { nodes { viewerCan(permission: "a:b") } } } }'
  const asked = {
    can,
    checkPermissions: `{ checkPermissions(checks: [{ ${check} }]) { allowed } }`,
    viewer: viewerCan,
  }
  const queries = Object.entries(asked).flatMap((one) => Array.from({ length: 6 }, () => one))
  await post({ query: viewer })
  const release = await lock('members')
  // Nothing is released before all of them are answered.
  const answers = await Promise.all(queries.map(([, query]) => post({ query })))
  for (const [index, { answer }] of answers.entries()) {
    const [field] = queries[index] ?? []
    // With its path it is the answer of the operation itself, not one in place of it.
    expect(answer.errors).toMatchObject([{ extensions: { code: 'TIMEOUT' } }])
    expect(answer.errors[0].path[0]).toBe(field)
  }
  await release()
  expect((await post({ query: can })).answer).toEqual({ data: { can: true } })
})

describe('more requests than there is room for', () => {
  test('are answered 503 with Retry-After at once, and those inside are answered', async () => {
    await serve({ LIMIT_CONCURRENCY: '2' })
    await post({ query: viewer })
    const release = await lockUsers()
    // One after the other: at once, they would share a statement.
    const inside = [post({ query: viewer })]
    await expect.poll(running).toBe(1)
    inside.push(post({ query: viewer }))
    await expect.poll(running).toBe(2)
    const { status, headers, answer, id } = await post({ query: viewer })
    expect(status).toBe(503)
    expect(headers.get('retry-after')).toBe('1')
    expect(answer.errors).toMatchObject([{ extensions: { code: 'UNAVAILABLE', requestId: id } }])
    expect((await fetch(`${server.url}/health`)).status).toBe(200)
    expect(lines().filter(({ msg }) => msg === 'unexpected error')).toEqual([])
    await release()
    for (const { status } of await Promise.all(inside)) expect(status).toBe(200)
    expect((await post({ query: viewer })).status).toBe(200)
    const metrics = (await gateway.metrics?.print()) ?? ''
    expect(metrics).toMatch(/shed_requests_total 1/)
    expect(metrics).toMatch(/requests_under_way 0/)
  })

  test.each<[string, Asked]>([
    ['a syntax error', { query: '{' }],
    ['a bad credential', { query: viewer, bearer: 'no.such.token' }],
    ['a mutation', { query: 'mutation { a }' }],
  ])('%s gives its place back', async (_what, asked) => {
    await serve({ LIMIT_CONCURRENCY: '1' })
    for (let index = 0; index < 3; index++) await post(asked)
    expect((await post({ query: viewer })).status).toBe(200)
  })
})

test('while the database is gone whole requests are 503 with Retry-After', async () => {
  await serve({ DATABASE_URL: 'postgresql://nobody@127.0.0.1:1/nothing' })
  const { status, headers, answer } = await post({ query: viewer })
  expect({ status, after: headers.get('retry-after') }).toEqual({ status: 503, after: '1' })
  expect(answer.errors).toMatchObject([{ extensions: { code: 'UNAVAILABLE' } }])
  const metrics = await gateway.metrics?.print()
  expect(metrics).toMatch(/sql_connect_failures_total [1-9]/)
  expect(metrics).toMatch(/identity_gateway_ready 0/)
})

describe('every request is counted by the class of its status', () => {
  const counts = async () =>
    Object.fromEntries(
      [
        ...((await gateway.metrics?.print()) ?? '').matchAll(
          /_(?:http_responses|errors)_total\{\w+="(\w+)"\} ([1-9]\d*)/g,
        ),
      ].map(([, name, count]) => [name, Number(count)]),
    )
  const ask = async (path: string, init: RequestInit = {}) =>
    (await fetch(`${server.url}${path}`, init)).status

  test('whatever is wrong with it, and probes are not', async () => {
    await serve({ LIMIT_BODY_BYTES: '1000' })
    const { status } = await post({ query: viewer })
    const wrong = [
      (await post({ query: '{' })).status,
      (await post({ body: '{' })).status,
      (await post({ body: JSON.stringify({ query: '#'.repeat(2000) }) })).status,
      (await post({ body: 'x', headers: { 'content-type': 'text/xml' } })).status,
      await ask('/graphql', { method: 'PUT' }),
      await ask('/nothing'),
      await ask('/', { method: 'POST' }),
    ]
    expect([status, ...wrong]).toEqual([200, 200, 400, 413, 415, 405, 404, 404])
    for (const path of ['/', '/health', '/ready']) expect(await ask(path)).toBe(200)
    await expect.poll(counts).toEqual({
      '2xx': 2,
      '4xx': 6,
      GRAPHQL_PARSE_FAILED: 1,
      BAD_REQUEST: 3,
      LIMIT_EXCEEDED: 1,
    })
  })

  test('of an address and of a user that ask too often, whose lines have the code', async () => {
    await serve({ RATE_LIMIT_PER_MINUTE: '1', TRUST_PROXY: '1' })
    const from = (address: string) =>
      post({ query: viewer, headers: { 'x-forwarded-for': address } })
    const answers = [await from('1.1.1.1'), await from('1.1.1.1'), await from('2.2.2.2')]
    expect(answers.map(({ status }) => status)).toEqual([200, 429, 429])
    await expect.poll(counts).toEqual({ '2xx': 1, '4xx': 2, RATE_LIMITED: 2 })
    for (const { id, status } of answers)
      if (status === 429) await lineOf(id).toMatchObject({ status, codes: ['RATE_LIMITED'] })
  })
})

test('metrics count what happens, under names and labels that no client chooses', async () => {
  await serve()
  await post({ query: 'query AnythingAtAll { viewer { name } }' })
  await post({ query: '{ nothing }' })
  const organizationId = (await sql<{ id: string }>('select id from organizations'))[0]?.id
  const can = `{ can(permission: "member:create", organizationId: "${organizationId}") }`
  for (let index = 0; index < 3; index++) await post({ query: can })
  const metrics = (await gateway.metrics?.print()) ?? ''
  expect(metrics).not.toContain('AnythingAtAll')
  for (const expected of [
    'request_duration_seconds_count{operation="other",outcome="answered"} 4',
    'request_duration_seconds_count{operation="other",outcome="refused"} 1',
    'errors_total{code="GRAPHQL_VALIDATION_FAILED"} 1',
    'permission_cache_reads_total{result="hit"} 2',
    'permission_cache_reads_total{result="miss"} 1',
    'sql_waiting 0',
    'requests_under_way 0',
    'http_responses_total{status="2xx"} 5',
    'ready 1',
    'sql_pool_size 4',
    'sql_connect_failures_total 0',
    'redis_breaker_open{of="reads"} 0',
  ])
    expect(metrics).toContain(`identity_gateway_${expected}`)
  expect(metrics).toMatch(/sql_statement_seconds_count\{outcome="answered"\} [1-9]/)
  expect(metrics).toMatch(/sql_wait_seconds_count [1-9]/)
  expect(metrics).toMatch(/sql_connections\{state="idle"\} [1-9]/)
  expect(metrics).toMatch(/signing_keys_age_seconds\{issuer="users"\} \d/)
  expect(metrics).toMatch(/process_resident_memory_bytes \d/)
})

test('operations of trusted documents are counted and logged by their names', async () => {
  const file = join(await mkdtemp(join(tmpdir(), 'documents-')), 'documents.json')
  await writeFile(file, JSON.stringify({ a1: viewer, b2: '{ viewer { id } }' }))
  await serve({ TRUSTED_DOCUMENTS_FILE: file })
  const { id } = await post({ body: '{"documentId":"a1"}' })
  await lineOf(id).toMatchObject({ operations: [{ type: 'query', name: 'Mine' }] })
  await post({ body: '{"documentId":"b2"}' })
  const metrics = (await gateway.metrics?.print()) ?? ''
  for (const name of ['Mine', 'other'])
    expect(metrics).toContain(`request_duration_seconds_count{operation="${name}"`)
  await rm(dirname(file), { recursive: true })
})

test('what askers share is counted', async () => {
  await serve()
  await post({ query: viewer })
  await Promise.all(Array.from({ length: 20 }, () => post({ query: viewer })))
  expect(await gateway.metrics?.print()).toMatch(/coalesced_total\{kind="visibility"\} [1-9]/)
})

test('new documents that come together are checked in turns of the event loop', async () => {
  await serve()
  const turns = countTurns()
  const padding = ' '.repeat(9000)
  const answers = await Promise.all(
    Array.from({ length: 20 }, (_, i) => gateway.graphql(`{ nothing${i} ${padding} }`)),
  )
  for (const { errors } of answers)
    expect(errors[0]?.extensions.code).toBe('GRAPHQL_VALIDATION_FAILED')
  expect(turns()).toBeGreaterThanOrEqual(19)
})
