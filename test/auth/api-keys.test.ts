import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { type IncomingMessage, type OutgoingHttpHeaders, request } from 'node:http'
import { expect, onTestFinished, test } from 'vitest'
import { loadConfig } from '../../src/config/config.ts'
import { readLayout } from '../../src/config/layout.ts'
import { checkApiKeys } from '../../src/doctor/checks/api-keys.ts'
import { examine } from '../../src/doctor/doctor.ts'
import type { AuditRecord } from '../../src/domain/audit.ts'
import { startServer } from '../../src/http/server.ts'
import { openDatabase } from '../../src/postgres/client.ts'
import { Tables } from '../../src/postgres/tables.ts'
import {
  acceptingKeys,
  createKeys,
  type KeyRow,
  organizationConfig,
  permissionsFor,
} from '../support/api-keys.ts'
import { useRedis } from '../support/redis.ts'
import { world } from '../support/world.ts'

/* What each kind of key is shown, field by field, says graph/matrix.test.ts. */

const { gatewayWith, identity, sql, ada, bob, carol, eve, acme } = await world({ own: true })
const giveKey = await createKeys(identity)
const environment = await acceptingKeys(identity)
const redis = useRedis()
const audited: AuditRecord[] = []
const gateway = gatewayWith(
  { ...environment, AUDIT_LOG: 'pii', AUDIT_LOG_FILE: '/dev/null' },
  { write: (record) => audited.push(record) },
)

const viewer = '{ viewer { id email } }'

const ask = (
  key: string,
  query = viewer,
  { asked = gateway, headers = {} as Record<string, string> } = {},
) => asked.told(query, { headers: { 'x-api-key': key, ...headers } })

const ofAcme = (row: Partial<KeyRow> = {}) =>
  giveKey({ reference_id: acme.id, config_id: organizationConfig, ...row })

test('a key of a user is that user, and the log and the audit say through what', async () => {
  const key = await giveKey({ reference_id: ada.id })
  expect(await ask(key)).toMatchObject({
    status: 200,
    data: { viewer: { id: ada.id, email: ada.email } },
    codes: [],
    caller: 'delegated',
  })
  expect(audited.at(-1)).toMatchObject({
    caller: { kind: 'delegated', userId: ada.id, delegation: { keyId: key.slice(-8) } },
    fields: ['User.email'],
  })
})

test('it is shown what its permissions say, and no more than its user is', async () => {
  const narrow = await giveKey({
    reference_id: ada.id,
    permissions: '{"identity":["read","else"],"permissions":"check","other":["pii"]}',
  })
  const can = `can(permission: "leave:request", organizationId: "${acme.id}")`
  const { data, codes } = await ask(narrow, '{ viewer { id email } }')
  expect([data, codes]).toEqual([{ viewer: { id: ada.id, email: null } }, ['FORBIDDEN']])
  expect((await ask(narrow, `{ ${can} }`)).codes).toEqual(['FORBIDDEN'])
  const whole = await giveKey({ reference_id: ada.id })
  expect(await ask(whole, `{ user(id: "${eve.id}") { id } }`)).toMatchObject({
    data: { user: null },
    codes: [],
  })
})

test('a key of an organization is that organization, its members and what they may do there', async () => {
  const asked = `{
    viewer { id }
    organization(id: "${acme.id}") { name members { totalCount } }
    user(id: "${ada.id}") { email organizations { nodes { id } } }
    stranger: user(id: "${eve.id}") { id }
    can(permission: "organization:update", organizationId: "${acme.id}", userId: "${ada.id}")
    stranger2: can(permission: "organization:update", organizationId: "${acme.id}", userId: "${eve.id}")
  }`
  const { data, codes, caller } = await ask(await ofAcme(), asked)
  expect([codes, caller]).toEqual([[], 'organization'])
  expect(data).toMatchObject({
    viewer: null,
    organization: { name: acme.name },
    user: { email: ada.email, organizations: { nodes: [{ id: acme.id }] } },
    stranger: null,
    can: true,
    stranger2: false,
  })
  expect(data.organization.members.totalCount).toBeGreaterThan(1)
  expect(audited.findLast(({ caller }) => caller.kind === 'organization')).toMatchObject({
    caller: { organizationId: acme.id, keyId: expect.any(String) },
    fields: ['User.email'],
  })
})

test('it knows of no other organization, and has no permissions to ask about elsewhere', async () => {
  const [evil] = await sql<{ id: string }>('select id from organizations where id <> $1', [acme.id])
  const [other] = await sql<{ user_id: string }>(
    'select user_id from members where organization_id = $1',
    [evil?.id],
  )
  const asked = `{
    organization(id: "${evil?.id}") { id }
    can(permission: "organization:update", organizationId: "${evil?.id}", userId: "${other?.user_id}")
  }`
  const { data } = await ask(await ofAcme(), asked)
  expect(data).toEqual({ organization: null, can: false })
  for (const list of ['users', 'organizations'])
    expect((await ask(await ofAcme(), `{ ${list} { totalCount } }`)).codes).toEqual(['FORBIDDEN'])
})

test('nor does it learn since when answers about others are remembered, which would tell members from strangers', async () => {
  const [{ id: elsewhere } = { id: '' }] = await sql<{ id: string }>(
    'select id from organizations where id <> $1',
    [acme.id],
  )
  const check = { permission: 'organization:update', organizationId: elsewhere, userId: eve.id }
  const query = `query ($check: PermissionCheckInput!) { checkPermissions(checks: [$check]) { roles source resolvedAt } }`
  const headers = { 'x-api-key': await ofAcme() }
  for (let time = 0; time < 2; time++) {
    const asked = Date.now()
    const { data } = await gateway.graphql(query, { variables: { check }, headers })
    expect(data.checkPermissions).toMatchObject([{ roles: [], source: 'DATABASE' }])
    expect(Date.parse(data.checkPermissions[0].resolvedAt)).toBeGreaterThanOrEqual(asked)
  }
})

test('what is cached for one kind of caller opens nothing to another, and tells nobody else', async () => {
  const { url, prefix } = redis
  const query = `query ($check: PermissionCheckInput!) { checkPermissions(checks: [$check]) { allowed roles } }`
  const check = { permission: 'leave:request', organizationId: acme.id, userId: ada.id }
  const key = async (row: KeyRow) => ({ headers: { 'x-api-key': await giveKey(row) } })
  const machine = { config_id: organizationConfig }
  const [other] = await sql<{ id: string }>('select id from organizations where id <> $1', [
    acme.id,
  ])
  const told = { allowed: true, roles: ['owner'] }
  const callers = [
    [{ token: await ada.jwt() }, told],
    [await key({ reference_id: ada.id }), told],
    [await key({ reference_id: acme.id, ...machine }), told],
    [await key({ reference_id: ada.id, permissions: permissionsFor('identity:read') }), undefined],
    [await key({ reference_id: other?.id ?? '', ...machine }), { allowed: false, roles: [] }],
    [{ token: await eve.jwt() }, { allowed: false, roles: [] }],
  ] as const
  for (const first of callers.keys()) {
    const cached = { REDIS_URL: url, REDIS_KEY_PREFIX: `${prefix}${first}:` }
    const asked = gatewayWith({ ...environment, ...cached })
    for (const [credential, answer] of [...callers.slice(first), ...callers.slice(0, first)]) {
      const { data } = await asked.graphql(query, { ...credential, variables: { check } })
      expect([first, data?.checkPermissions?.[0]]).toEqual([first, answer])
    }
  }
})

test.each<[reason: string, row: Partial<KeyRow>]>([
  ['disabled key', { enabled: false }],
  ['expired', { expires_at: new Date(Date.now() - 1000) }],
  ['metered key', { remaining: 100 }],
  ['metered key', { remaining: 0 }],
])('a key is refused, and the log alone says why: %s, %o', async (refused, row) => {
  for (const key of [await giveKey({ reference_id: ada.id, ...row }), await ofAcme(row)]) {
    const answer = await gateway.graphql(viewer, { headers: { 'x-api-key': key } })
    expect(answer.errors[0]?.message).toBe('The credential is not valid.')
    expect(await ask(key)).toMatchObject({ status: 401, refused })
  }
})

test.each([
  null,
  '{"projects":["read"]}',
  '["identity:read"]',
  'identity:read',
  '{"identity":"read"}',
])('a key with the permissions %j may read nothing', async (permissions) => {
  const row = { permissions }
  for (const key of [await giveKey({ reference_id: ada.id, ...row }), await ofAcme(row)]) {
    const { data, errors } = await gateway.graphql(`{ organization(id: "${acme.id}") { id } }`, {
      headers: { 'x-api-key': key },
    })
    expect(data).toEqual({ organization: null })
    expect(errors).toMatchObject([{ extensions: { code: 'FORBIDDEN' } }])
  }
})

test('refused as well is one that nobody has, and the hash of one', async () => {
  const key = await giveKey({ reference_id: ada.id })
  const [row] = await sql<{ key: string }>('select key from api_keys where id = $1', [
    key.slice(-8),
  ])
  for (const unknown of ['', 'x', `${key}x`, row?.key ?? '', "' or true --"])
    expect(await ask(unknown)).toMatchObject({ status: 401, refused: 'unknown key' })
  expect(await ask('x'.repeat(1025))).toMatchObject({ status: 401, refused: 'too long' })
})

test('what may be NULL is as the plug-in takes it: enabled, and without an end', async () => {
  const key = await giveKey({ reference_id: ada.id, enabled: null, config_id: null })
  expect((await ask(key)).data).toEqual({ viewer: { id: ada.id, email: ada.email } })
})

test('a key that is deleted ends with the next request, and so it is with who it is of', async () => {
  const key = await giveKey({ reference_id: bob.id })
  expect((await ask(key)).codes).toEqual([])
  await sql('update users set banned = true where id = $1', [bob.id])
  expect((await ask(key)).codes).toEqual(['UNAUTHENTICATED'])
  await sql('update users set banned = false where id = $1', [bob.id])
  expect((await ask(key)).codes).toEqual([])
  await sql('delete from api_keys where id = $1', [key.slice(-8)])
  expect(await ask(key)).toMatchObject({ status: 401, refused: 'unknown key' })

  const gone = await ofAcme({ reference_id: 'gone' })
  for (const door of ['organization(id: "gone") { id }', `user(id: "${ada.id}") { id }`])
    expect((await ask(gone, `{ ${door} }`)).codes).toEqual(['UNAUTHENTICATED'])
})

test('whose a key is, its configuration alone says', async () => {
  const stray = await giveKey({ reference_id: ada.id, config_id: organizationConfig })
  expect((await ask(stray, `{ user(id: "${ada.id}") { id } }`)).codes).toEqual(['UNAUTHENTICATED'])
  const other = await giveKey({ reference_id: acme.id })
  expect((await ask(other)).codes).toEqual(['UNAUTHENTICATED'])
})

test('an Authorization header goes before a key, and a key before a cookie', async () => {
  const key = await giveKey({ reference_id: ada.id })
  const headers = { authorization: `Bearer ${await carol.jwt()}` }
  expect((await ask(key, viewer, { headers })).data.viewer.id).toBe(carol.id)
  const bad = { authorization: 'Bearer x' }
  expect(await ask(key, viewer, { headers: bad })).toMatchObject({ status: 401 })
  const cookie = { cookie: carol.headers.get('cookie') ?? '' }
  expect((await ask(key, viewer, { headers: cookie })).data.viewer.id).toBe(ada.id)
  expect(await ask('x', viewer, { headers: cookie })).toMatchObject({ status: 401 })
})

test('a key that is sent twice is none, and one beside a name and password for a proxy counts', async () => {
  const key = await giveKey({ reference_id: ada.id })
  const server = await startServer(gatewayWith({ ...environment, AUTH_IGNORE_BASIC: 'on' }), {
    host: '127.0.0.1',
    port: 0,
  })
  onTestFinished(() => server.stop())
  const body = JSON.stringify({ query: viewer })
  /** By the usual way of a request and by the other one. */
  const statuses = (headers: OutgoingHttpHeaders) =>
    Promise.all(
      ['application/json', 'application/json; charset=UTF-8'].map(async (type) => {
        const asked = request(`${server.url}/graphql`, {
          method: 'POST',
          headers: { 'content-type': type, ...headers },
        })
        asked.end(body)
        const [answer] = (await once(asked, 'response')) as [IncomingMessage]
        return answer.resume().statusCode
      }),
    )
  expect(await statuses({ 'x-api-key': key })).toEqual([200, 200])
  for (const keys of [[key, key], [key, 'x'], ['x', key], [`${key}, ${key}`]])
    expect(await statuses({ 'x-api-key': keys })).toEqual([401, 401])
  const basic = { authorization: 'Basic c3RhZ2luZzpzZWNyZXQ=' }
  expect(await statuses({ 'x-api-key': key, ...basic })).toEqual([200, 200])
  expect(await statuses({ 'x-api-key': 'x', ...basic })).toEqual([401, 401])
  for (const authorization of [`Bearer ${key}`, key, ''])
    expect(await statuses({ 'x-api-key': key, authorization })).toEqual([401, 401])
  // No browser sends a key unasked, so it may come from anywhere; but a page elsewhere may neither send nor read.
  const elsewhere = {
    origin: 'https://evil.example.com',
    'access-control-request-headers': 'x-api-key',
  }
  const search = `?query=${encodeURIComponent(viewer)}`
  for (const [method, status] of [
    ['GET', 200],
    ['OPTIONS', 204],
  ] as const) {
    const headers = { ...elsewhere, 'x-api-key': key }
    const answer = await fetch(`${server.url}/graphql${search}`, { method, headers })
    expect(answer.status).toBe(status)
    expect([...answer.headers.keys()].join()).not.toContain('access-control')
  }
})

test('the header can be another, and means nothing where keys are off', async () => {
  const key = await giveKey({ reference_id: ada.id, permissions: permissionsFor('identity:read') })
  const renamed = gatewayWith({ ...environment, AUTH_API_KEY_HEADER: 'X-Company-Key' })
  const headers = { 'x-company-key': key }
  expect((await renamed.graphql('{ viewer { id } }', { headers })).data.viewer.id).toBe(ada.id)
  const { AUTH_API_KEYS: _, AUTH_API_KEY_ORGANIZATIONS: __, ...off } = environment
  for (const asked of [renamed, gatewayWith(off)])
    expect(await ask(key, viewer, { asked })).toMatchObject({ data: { viewer: null }, codes: [] })
})

test('keys of one user, and of one organization, are counted together', async () => {
  const limited = gatewayWith({ ...environment, RATE_LIMIT_PER_MINUTE: '2' })
  const codes = []
  for (const key of [await ofAcme(), await ofAcme(), await ofAcme()])
    codes.push((await ask(key, '{ viewer { id } }', { asked: limited })).status)
  expect(codes).toEqual([200, 200, 429])
})

test('without the function that finds keys they cannot be looked up, and the log says what to do', async () => {
  const name = 'identity_gateway_api_key(text)'
  const role = new URL(identity.readOnlyUrl).username
  const key = await giveKey({ reference_id: ada.id })
  await sql(`revoke execute on function ${name} from ${role}`)
  expect(await ask(key)).toMatchObject({ status: 503, codes: ['UNAVAILABLE'] })
  expect(
    gateway.logged.some((line) => line.includes('API keys cannot be looked up: the owner')),
  ).toBe(true)
  await sql(`grant execute on function ${name} to ${role}`)
  // Neither the key nor its hash, whatever has become of it.
  const told = gateway.logged.join() + JSON.stringify(audited)
  const hash = createHash('sha256').update(key).digest('base64url')
  for (const secret of [key, hash]) expect(told).not.toContain(secret)
})

test('the role reads neither keys nor hashes', async () => {
  const role = new URL(identity.readOnlyUrl).username
  const [can] = await sql<{ key: boolean; permissions: boolean }>(
    `select has_column_privilege($1, 'api_keys', 'key', 'select') as key,
       has_column_privilege($1, 'api_keys', 'permissions', 'select') as permissions`,
    [role],
  )
  expect(can).toEqual({ key: false, permissions: true })
})

test('doctor says whether keys can be looked up, and that they are off', async () => {
  const found = async (further: Readonly<Record<string, string>> = environment) => {
    const { findings } = await examine({
      DATABASE_URL: identity.readOnlyUrl,
      AUTH_ISSUER: identity.betterAuth.issuer,
      NODE_ENV: 'test',
      ...further,
    })
    return findings.filter(({ check }) => check === 'api-keys')
  }
  expect(await found()).toMatchObject([
    { level: 'info', message: expect.stringMatching(/keys of machines are organizations'/) },
  ])
  const { AUTH_API_KEYS: _, AUTH_API_KEY_ORGANIZATIONS: __, ...off } = environment
  expect(await found(off)).toMatchObject([
    { level: 'info', message: expect.stringMatching(/AUTH_API_KEYS=on accepts/) },
  ])
  const spoilt = [
    [
      'create or replace function identity_gateway_api_key(key_hash text) returns json language sql stable security definer as $$ select null::json $$',
      /is another than/,
    ],
    ['alter function identity_gateway_api_key(text) security invoker', /rights of its owner/],
    ['grant execute on function identity_gateway_api_key(text) to public', /everybody/],
    ['drop function identity_gateway_api_key(text)', /is missing/],
  ] as const
  for (const [statement, message] of spoilt) {
    await sql(statement)
    const [fault] = await found()
    expect([statement, fault]).toMatchObject([
      statement,
      { level: 'error', message: expect.stringMatching(message) },
    ])
    await sql(fault?.sql ?? '')
    expect(await found()).toMatchObject([{ level: 'info' }])
  }
})

test('doctor warns where the key of an organization could pass for one of a user', async () => {
  const config = loadConfig({
    DATABASE_URL: identity.readOnlyUrl,
    AUTH_ISSUER: identity.betterAuth.issuer,
    ...environment,
  })
  const layout = readLayout(config.database)
  const database = openDatabase({ ...config.database, layout, poolSize: 1 })
  onTestFinished(() => database.close())
  const Organization = layout.Organization && {
    ...layout.Organization,
    columns: { ...layout.Organization.columns, id: { name: 'id', type: 'integer' } as const },
  }
  const levels = async (organizationConfigs: readonly string[], numbered: boolean) => {
    const apiKeys = { header: 'x-api-key', organizationConfigs }
    const found = await checkApiKeys({
      config: { ...config, auth: { ...config.auth, apiKeys } },
      layout: numbered ? { ...layout, Organization } : layout,
      tables: new Tables(layout, 'public'),
      database,
      role: new URL(identity.readOnlyUrl).username,
    })
    return found.map(({ level }) => level)
  }
  expect(await levels([], true)).toEqual(['warning'])
  expect(await levels([], false)).toEqual(['info'])
  expect(await levels([organizationConfig], true)).toEqual(['info'])
})
