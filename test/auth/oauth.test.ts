import type { JWTPayload } from 'jose'
import { beforeAll, describe, expect, test } from 'vitest'
import { examine } from '../../src/doctor/doctor.ts'
import { examineToken } from '../../src/doctor/token.ts'
import type { AuditRecord } from '../../src/domain/audit.ts'
import { gatewayFor } from '../support/gateway.ts'
import { createApp } from '../support/oauth.ts'
import { createSigner } from '../support/tokens.ts'
import { world } from '../support/world.ts'

/* Apps that speak for users. What each of them is shown, field by field, says graph/matrix.test.ts. */

const { gatewayWith, identity, services, sql, ada, bob, carol, eve } = await world({ own: true })
const { app, environment } = await createApp(identity)
const audited: AuditRecord[] = []
const gateway = gatewayWith(
  { ...environment, AUDIT_LOG: 'pii', AUDIT_LOG_FILE: '/dev/null' },
  { write: (record) => audited.push(record) },
)
const everything = 'openid identity:read identity:pii permissions:check'

const ask = (token: string, query = '{ viewer { id email } }', asked = gateway) =>
  asked.told(query, { token })

beforeAll(async () => {
  // The first token waits for the keys.
  await ask(await app.token(ada, everything))
})

test('an app speaks for the user who consented, and the log and the audit say through whom', async () => {
  const found = await ask(await app.token(ada, everything))
  expect(found).toMatchObject({
    status: 200,
    data: { viewer: { id: ada.id, email: ada.email } },
    codes: [],
    caller: 'delegated',
  })
  expect(audited.at(-1)).toMatchObject({
    caller: {
      kind: 'delegated',
      userId: ada.id,
      scopes: ['identity:read', 'identity:pii', 'permissions:check'],
      delegation: { clientId: app.clientId, sessionId: expect.any(String) },
    },
    userId: ada.id,
    fields: ['User.email'],
  })
})

test('it is told no more than its scopes say, of what the user sees', async () => {
  const narrow = await ask(await app.token(ada, 'identity:read'))
  expect(narrow).toMatchObject({
    data: { viewer: { id: ada.id, email: null } },
    codes: ['FORBIDDEN'],
  })
  expect((await ask(await app.token(ada, 'identity:pii'))).codes).toEqual(['FORBIDDEN'])
  const others = `{ user(id: "${eve.id}") { id } organizations { totalCount } }`
  expect(await ask(await app.token(ada, everything), others)).toMatchObject({
    data: { user: null, organizations: null },
    codes: ['FORBIDDEN'],
  })
})

describe('a token is refused, and the log says why:', () => {
  const now = Math.floor(Date.now() / 1000)
  const token = (claims: JWTPayload, header: object = {}) =>
    app.token(ada, everything, claims, header)
  test.each<[reason: string, what: string, token: () => Promise<string>]>([
    ['audience', 'for another resource', () => token({ aud: `${app.issuer}/oauth2/userinfo` })],
    ['issuer', 'of the issuer of session tokens', () => token({ iss: identity.betterAuth.issuer })],
    ['expired', 'that has expired', () => token({ exp: now - 1 })],
    [
      'issuer',
      'that is an ID token',
      () => token({ aud: app.clientId, at_hash: 'x' }, { typ: 'JWT' }),
    ],
    [
      'type',
      'of a session cookie',
      () =>
        token(
          { iss: identity.betterAuth.issuer, aud: identity.betterAuth.issuer },
          { typ: 'better-auth.session-cache+jwt' },
        ),
    ],
    ['client', 'that an app got for itself', () => token({ sub: app.clientId })],
    ['client', 'that names no client', () => token({ client_id: undefined, azp: undefined })],
    ['client', 'that names two', () => token({ azp: 'other' })],
    ['proof', 'that is bound to a certificate', () => token({ cnf: { 'x5t#S256': 'hash' } })],
    ['scheme', 'that is bound to a key', () => token({ cnf: { jkt: 'thumbprint' } })],
    ['claim', 'whose session is no text', () => token({ sid: 7 })],
    ['claim', 'without an end', () => token({ exp: undefined } as never)],
    ['subject', 'of nobody', () => token({ sub: '' })],
    [
      'key',
      'signed by another key',
      async () =>
        (await createSigner('EdDSA', 'else')).sign(
          { iss: app.issuer, aud: app.audience, sub: ada.id, client_id: 'app', exp: now + 60 },
          { typ: 'at+jwt' },
        ),
    ],
  ])('%s, %s', async (reason, _what, token) => {
    expect(await ask(await token())).toMatchObject({ status: 401, refused: reason })
  })

  test('needs OAUTH_AUDIENCE, where it is not set', async () => {
    const plain = gatewayWith({})
    expect(await ask(await token({}), undefined, plain)).toMatchObject({
      status: 401,
      refused: 'needs OAUTH_AUDIENCE',
    })
  })
})

describe('what is delegated ends', () => {
  const dead = { data: { viewer: null }, codes: ['UNAUTHENTICATED'] }
  const check = '{ can(permission: "leave:request", organizationId: "nowhere") }'

  test('with the app, also for what is cached', async () => {
    const token = await app.token(ada, everything)
    expect(await ask(token, check)).toMatchObject({ data: { can: false } })
    await sql('update oauth_clients set disabled = true')
    expect(await ask(token)).toMatchObject(dead)
    expect((await ask(token, check)).codes).toEqual(['UNAUTHENTICATED'])
    await sql('update oauth_clients set disabled = null')
    expect(await ask(token)).toMatchObject({ codes: [] })
    expect(await ask(await app.token(ada, everything, { client_id: 'x', azp: 'x' }))).toMatchObject(
      dead,
    )
  })

  test('with the session in which the user consented, and with no other', async () => {
    const lasting = await app.token(bob, everything, { sid: undefined })
    const token = await app.token(bob, everything)
    expect(await ask(token)).toMatchObject({ codes: [] })
    await sql("update sessions set expires_at = now() - interval '1 second' where user_id = $1", [
      bob.id,
    ])
    expect(await ask(token)).toMatchObject(dead)
    await sql('delete from sessions where user_id = $1', [bob.id])
    expect(await ask(token)).toMatchObject(dead)
    expect(await ask(lasting)).toMatchObject({ codes: [] })
    const [session] = await sql<{ id: string }>('select id from sessions where user_id = $1', [
      ada.id,
    ])
    expect(await ask(await app.token(bob, everything, { sid: session?.id }))).toMatchObject(dead)
  })

  test('with the user', async () => {
    const token = await app.token(carol, everything)
    await sql('update users set banned = true where id = $1', [carol.id])
    expect(await ask(token)).toMatchObject(dead)
    await sql('delete from users where id = $1', [carol.id])
    expect(await ask(token)).toMatchObject(dead)
  })
})

test('one issuer may sign for services as well: what speaks for a user is never one', async () => {
  const both = gatewayWith({
    ...environment,
    SERVICE_ISSUER: app.issuer,
    SERVICE_AUDIENCE: app.audience,
    AUTH_JWKS: 'database',
    SERVICE_JWKS_URL: `${identity.betterAuth.url}/jwks`,
  })
  const list = '{ organizations { totalCount } }'
  expect(await ask(await app.token(ada, everything), list, both)).toMatchObject({
    codes: ['FORBIDDEN'],
    caller: 'delegated',
  })
  const machine = await app.token(ada, everything, { sub: app.clientId, sid: undefined })
  expect(await ask(machine, list, both)).toMatchObject({ codes: [], caller: 'service' })
})

describe('clients learn who gives them tokens', () => {
  const at = async (path: string, from = gateway) => {
    const response = await from.fetch(new Request(`http://gateway${path}`))
    return { status: response.status, body: await response.text() }
  }
  const wellKnown = '/.well-known/oauth-protected-resource'

  test('from the metadata, which every refusal names', async () => {
    for (const path of [wellKnown, `${wellKnown}/graphql`]) {
      const { status, body } = await at(path)
      expect([status, JSON.parse(body)]).toEqual([
        200,
        {
          resource: app.audience,
          authorization_servers: [app.issuer],
          scopes_supported: ['identity:read', 'identity:pii', 'permissions:check'],
          bearer_methods_supported: ['header'],
          dpop_signing_alg_values_supported: ['EdDSA', 'ES256', 'ES512', 'PS256', 'RS256'],
        },
      ])
    }
    const { headers } = await gateway.graphql('{ viewer { id } }', { token: 'a.b.c' })
    expect(headers.get('www-authenticate')).toBe(
      `Bearer error="invalid_token", resource_metadata="https://identity.example.com${wellKnown}/graphql", DPoP error="invalid_token", algs="EdDSA ES256 ES512 PS256 RS256"`,
    )
  })

  test('but not where there are none, or the resource has no address', async () => {
    const plain = gatewayWith({})
    expect((await at(wellKnown, plain)).status).toBe(404)
    const { headers } = await plain.graphql('{ viewer { id } }', { token: 'a.b.c' })
    expect(headers.get('www-authenticate')).toBe('Bearer error="invalid_token"')
    const urn = gatewayWith({ ...environment, OAUTH_AUDIENCE: 'urn:identity' })
    expect((await at(wellKnown, urn)).status).toBe(404)
  })
})

test('a gateway that could not tell which apps are disabled does not start', () => {
  expect(() =>
    gatewayFor(identity, { ...services.environment, OAUTH_AUDIENCE: app.audience }),
  ).toThrow(/^OAUTH_AUDIENCE: this database has no table of OAuth clients/)
})

test('doctor says whom a token speaks for, that it has ended, and what cannot end it', async () => {
  const own = { DATABASE_URL: identity.readOnlyUrl, AUTH_ISSUER: identity.betterAuth.issuer }
  const accepting = { ...own, ...environment }
  const verdictOf = async (given: typeof own, token: string) =>
    (await examineToken(given, token)).findings[0]?.message
  const token = await app.token(ada, everything)
  expect(await verdictOf(accepting, token)).toBe(
    `It is a token of the app "app" for the user "${ada.id}", with the scopes identity:read, identity:pii, permissions:check.`,
  )
  const other = await app.token(ada, everything, { client_id: 'x', azp: 'x' })
  expect(await verdictOf(accepting, other)).toContain('the app is disabled or the session over')
  expect(await verdictOf(own, token)).toContain('(needs OAUTH_AUDIENCE): it is an access token of')
  const found = async (given: object) =>
    (await examine({ ...own, ...given })).findings.filter(({ check }) => check === 'oauth')
  expect(await found(accepting)).toMatchObject([{ level: 'info' }])
  expect(await found({})).toEqual([])
  expect(await found({ OAUTH_AUDIENCE: app.audience })).toMatchObject([{ level: 'error' }])
})
