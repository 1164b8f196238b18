import { readFile, writeFile } from 'node:fs/promises'
import { describe, expect, test } from 'vitest'
import { examine } from '../../src/doctor/doctor.ts'
import { examineToken } from '../../src/doctor/token.ts'
import type { AuditRecord } from '../../src/domain/audit.ts'
import { gatewayFor } from '../support/gateway.ts'
import { createApp, readAnew } from '../support/oauth.ts'
import { createOpaqueTokens, type TokenRow } from '../support/opaque-tokens.ts'
import { createProver } from '../support/prover.ts'
import { world } from '../support/world.ts'

/* Apps that speak for users by tokens that only the database can say something of. */

const { gatewayWith, identity, services, sql, ada, bob, carol, eve } = await world({ own: true })
const give = await createOpaqueTokens(identity)
const { app, environment: tables } = await createApp(identity)
const environment = { ...tables, OAUTH_OPAQUE_TOKENS: 'on' }
const audited: AuditRecord[] = []
const gateway = gatewayWith(
  { ...environment, AUDIT_LOG: 'pii', AUDIT_LOG_FILE: '/dev/null' },
  { write: (record) => audited.push(record) },
)
const own = { DATABASE_URL: identity.readOnlyUrl, AUTH_ISSUER: identity.betterAuth.issuer }
const role = new URL(identity.readOnlyUrl).username
const viewer = '{ viewer { id email } }'

const ask = (token: string, query = viewer, asked = gateway) => asked.told(query, { token })
const accepted = { status: 200, data: { viewer: { id: ada.id, email: ada.email } }, codes: [] }

/** With a layout that differs in something. */
const altered = async (what: RegExp, by: string) => {
  const text = await readFile(tables.PRISMA_SCHEMA_FILE, 'utf8')
  const file = `${tables.PRISMA_SCHEMA_FILE}.altered`
  await writeFile(file, text.replace(what, by))
  return { ...environment, PRISMA_SCHEMA_FILE: file }
}

test('an app speaks for the user who consented, and the log and the audit say through whom', async () => {
  expect(await ask(await give(ada))).toMatchObject({ ...accepted, caller: 'delegated' })
  expect(audited.at(-1)).toMatchObject({
    caller: {
      kind: 'delegated',
      userId: ada.id,
      scopes: ['identity:read', 'identity:pii', 'permissions:check'],
      delegation: { clientId: app.clientId, sessionId: expect.any(String) },
    },
    fields: ['User.email'],
  })
})

test('it is told no more than its scopes say, of what the user sees', async () => {
  const narrow = await ask(await give(ada, { scopes: ['identity:read', 'else'] }))
  expect(narrow).toMatchObject({
    data: { viewer: { id: ada.id, email: null } },
    codes: ['FORBIDDEN'],
  })
  const none = await give(ada, { scopes: ['openid', 'identity:read identity:pii'] })
  expect((await ask(none)).codes).toEqual(['FORBIDDEN'])
  const others = `{ user(id: "${eve.id}") { id } organizations { totalCount } }`
  expect(await ask(await give(ada), others)).toMatchObject({
    data: { user: null, organizations: null },
    codes: ['FORBIDDEN'],
  })
})

describe('a token is refused, and the log alone says why:', () => {
  const past = new Date(Date.now() - 1000)
  test.each<[reason: string, what: string, row: TokenRow]>([
    ['revoked', 'that was revoked', { revoked: past }],
    ['expired', 'that has expired', { expires_at: past }],
    ['scheme', 'that is bound to a key', { confirmation: { jkt: 'thumbprint' } }],
    ['proof', 'that is bound to a certificate', { confirmation: { 'x5t#S256': 'x' } }],
    ['client', 'that an app has for itself', { user_id: null }],
    ['audience', 'for another resource', { resources: [`${app.issuer}/oauth2/userinfo`] }],
    ['audience', 'for what is no list', { resources: { is: app.audience } }],
    ['no session', 'whose session was deleted', { session_id: null }],
  ])('%s, %s', async (refused, _what, row) => {
    const token = await give(ada, row)
    const answer = await gateway.graphql(viewer, { token })
    expect(answer.errors[0]?.message).toBe('The credential is not valid.')
    expect(await ask(token)).toMatchObject({ status: 401, refused })
  })

  test('unknown token, which nobody has', async () => {
    const token = await give(ada)
    const [row] = await sql<{ token: string }>(
      'select token from oauth_access_tokens where id = $1',
      [token.slice(0, 8)],
    )
    for (const unknown of [`${token}x`, token.slice(1), row?.token ?? '', 'x'.repeat(256)])
      expect(await ask(unknown)).toMatchObject({ status: 401, refused: 'unknown token' })
  })

  test('without a question to the database where it has another form', async () => {
    const token = await give(ada)
    for (const other of ['x', 'x'.repeat(15), 'x'.repeat(257), `${token}.x`, `%20${token}`])
      expect(await ask(other)).toMatchObject({ status: 401, refused: 'needs AUTH_SESSIONS' })
  })
})

test.each<[what: string, row: TokenRow]>([
  ['for this resource and another', { resources: ['https://else.example.com', app.audience] }],
  ['for no resource', { resources: [] }],
  ['bound to nothing, in JSON', { confirmation: undefined }],
  [
    'that may outlive its session',
    { session_id: null, scopes: ['offline_access', 'identity:read', 'identity:pii'] },
  ],
])('accepted is one %s', async (_what, row) => {
  const token = await give(ada, row)
  if ('confirmation' in row) await sql(`update oauth_access_tokens set confirmation = 'null'`)
  expect(await ask(token)).toMatchObject(accepted)
})

test('one that is bound to a key is accepted with a proof', async () => {
  const client = await createProver(app.audience)
  const token = await give(ada, { confirmation: client.cnf })
  const headers = { authorization: `DPoP ${token}`, dpop: await client.prove(token) }
  const { status, data } = await gateway.graphql(viewer, { headers })
  expect({ status, data }).toMatchObject({ status: 200, data: accepted.data })
  expect((await gateway.graphql(viewer, { headers })).status).toBe(401)
})

describe('what is delegated ends', () => {
  const dead = { data: { viewer: null }, codes: ['UNAUTHENTICATED'] }

  test('with the token', async () => {
    const token = await give(ada)
    expect(await ask(token)).toMatchObject(accepted)
    await sql('delete from oauth_access_tokens where id = $1', [token.slice(0, 8)])
    expect(await ask(token)).toMatchObject({ status: 401, refused: 'unknown token' })
  })

  test('with the app', async () => {
    const token = await give(ada)
    await sql('update oauth_clients set disabled = true')
    expect(await ask(token)).toMatchObject(dead)
    await sql('update oauth_clients set disabled = null')
    expect(await ask(token)).toMatchObject(accepted)
    expect(await ask(await give(ada, { client_id: 'x' }))).toMatchObject(dead)
  })

  test('with the session in which the user consented', async () => {
    const token = await give(bob)
    expect(await ask(token)).toMatchObject({ codes: [] })
    await sql("update sessions set expires_at = now() - interval '1 second' where user_id = $1", [
      bob.id,
    ])
    expect(await ask(token)).toMatchObject(dead)
    await sql('delete from sessions where user_id = $1', [bob.id])
    expect(await ask(token)).toMatchObject({ status: 401, refused: 'no session' })
  })

  test('with the user', async () => {
    const token = await give(carol)
    await sql('update users set banned = true where id = $1', [carol.id])
    expect(await ask(token)).toMatchObject(dead)
    await sql('delete from users where id = $1', [carol.id])
    expect(await ask(token)).toMatchObject({ status: 401, refused: 'unknown token' })
  })
})

test('other bearers are what they were, and wrong ones are counted as others are', async () => {
  const all = gatewayWith({
    ...environment,
    AUTH_SESSIONS: 'on',
    BETTER_AUTH_SECRET: identity.betterAuth.secret,
  })
  for (const token of [await ada.jwt(), ada.session, await app.token(ada, 'identity:read')])
    expect(await ask(token, '{ viewer { id } }', all)).toMatchObject({ codes: [] })
  const limited = gatewayWith({ ...environment, RATE_LIMIT_PER_MINUTE: '2' })
  const statuses = []
  for (let time = 0; time < 3; time++)
    statuses.push((await ask('x'.repeat(32), viewer, limited)).status)
  expect(statuses).toEqual([401, 401, 429])
})

test('they may begin with what Better Auth does not store', async () => {
  const prefixed = gatewayWith({ ...environment, OAUTH_OPAQUE_TOKEN_PREFIX: 'acme.at_' })
  const token = await give(ada)
  expect(await ask(`acme.at_${token}`, viewer, prefixed)).toMatchObject(accepted)
  for (const other of [token, `acme.at_acme.at_${token}`])
    expect(await ask(other, viewer, prefixed)).toMatchObject({ status: 401 })
})

test('they mean nothing where they are off', async () => {
  const off = gatewayWith(tables)
  expect(await ask(await give(ada), viewer, off)).toMatchObject({
    status: 401,
    refused: 'needs AUTH_SESSIONS',
  })
})

test('without OAUTH_AUDIENCE those for no resource are accepted, and those for any are not', async () => {
  const { OAUTH_AUDIENCE: _, ...alone } = environment
  const plain = gatewayWith(alone)
  expect(await ask(await give(ada), viewer, plain)).toMatchObject(accepted)
  const other = await give(ada, { resources: [app.audience] })
  expect(await ask(other, viewer, plain)).toMatchObject({ status: 401, refused: 'audience' })
})

test('lists are read as each adapter keeps them, and ends by the clock that wrote them', async () => {
  await sql('delete from oauth_access_tokens')
  const token = await give(ada, { resources: [app.audience] })
  const alter = (column: string, type: string, using: string) =>
    sql(`alter table oauth_access_tokens alter ${column} type ${type} using ${using}`)
  await sql(`create function names(jsonb) returns text[] language sql
    as $$ select array(select jsonb_array_elements_text($1)) $$`)
  for (const [type, using] of [
    ['text[]', 'names(#)'],
    ['text', 'array_to_json(#)::text'],
    ['json', '#::json'],
    ['jsonb', '#::jsonb'],
  ] as const) {
    for (const column of ['scopes', 'resources'])
      await alter(column, type, using.replace('#', column))
    expect([type, await ask(token)]).toMatchObject([type, accepted])
  }
  const zoned = `expires_at at time zone 'UTC'`
  await alter('expires_at', 'timestamp', zoned)
  const asked = gatewayWith({ ...environment, ...(await readAnew(identity)) })
  expect(await ask(token, viewer, asked)).toMatchObject(accepted)
  await alter('expires_at', 'timestamptz', zoned)
  await readAnew(identity)
})

test('the role reads neither tokens nor hashes', async () => {
  const [can] = await sql<{ token: boolean; scopes: boolean }>(
    `select has_column_privilege($1, 'oauth_access_tokens', 'token', 'select') as token,
       has_column_privilege($1, 'oauth_access_tokens', 'scopes', 'select') as scopes`,
    [role],
  )
  expect(can).toEqual({ token: false, scopes: true })
})

test('a gateway does not start where they cannot be looked up, nor where nothing would end them', async () => {
  const name = 'identity_gateway_opaque_token(text)'
  const token = await give(ada)
  await gateway.verify()
  await sql(`revoke execute on function ${name} from ${role}`)
  await expect(gateway.verify()).rejects.toThrow(
    'Opaque access tokens cannot be looked up: the owner of the database must run the SQL that the command doctor --sql prints.',
  )
  expect(await ask(token)).toMatchObject({ status: 503, codes: ['UNAVAILABLE'] })
  await sql(`grant execute on function ${name} to ${role}`)
  await gateway.verify()
  expect(() =>
    gatewayFor(identity, { ...services.environment, OAUTH_OPAQUE_TOKENS: 'on' }),
  ).toThrow(/^OAUTH_OPAQUE_TOKENS: this database has no tables of sessions, of OAuth clients/)
  const lacking = await altered(
    /^ {2}revoked /m,
    '  // absent: the database has no such column\n$&',
  )
  expect(() => gatewayWith(lacking)).toThrow(/^OAUTH_OPAQUE_TOKENS: /)
})

test('nor where sessions outlive what Better Auth says of them', async () => {
  const preserved = await altered(/^model Session \{$/m, '$&\n  // authoritative: false')
  expect(() => gatewayWith(preserved)).toThrow(/^OAUTH_OPAQUE_TOKENS: .*preserveSessionInDatabase/)
  const { findings } = await examine({ ...own, ...preserved })
  expect(findings.filter(({ check }) => check === 'oauth')).toMatchObject([
    { level: 'warning', message: expect.stringMatching(/access tokens of apps with them/) },
  ])
})

test('doctor says whether they can be looked up, and whom one speaks for', async () => {
  const found = async (given: object = environment) =>
    (await examine({ ...own, ...given })).findings.filter(({ check }) => check === 'opaque-tokens')
  expect(await found()).toMatchObject([
    { level: 'info', message: expect.stringMatching(/They name no audience/) },
  ])
  expect(await found(tables)).toEqual([])
  expect(await found({ OAUTH_OPAQUE_TOKENS: 'on' })).toMatchObject([{ level: 'error' }])
  await sql('drop function identity_gateway_opaque_token(text)')
  const [fault] = await found()
  expect(fault).toMatchObject({ level: 'error', message: expect.stringMatching(/is missing/) })
  await sql(fault?.sql ?? '')
  expect(await found()).toMatchObject([{ level: 'info' }])

  const verdictOf = async (token: string, given: object = environment) =>
    (await examineToken({ ...own, ...given }, token)).findings[0]?.message
  const token = await give(ada)
  expect(await verdictOf(token)).toContain(`of the app "app" for the user "${ada.id}"`)
  expect(await verdictOf(`${token}x`)).toContain('(unknown token): ')
  expect(await verdictOf(token, tables)).toContain('with OAUTH_OPAQUE_TOKENS=on')
})
