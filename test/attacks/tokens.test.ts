import { createServer } from 'node:http'
import { decodeJwt } from 'jose'
import { afterAll, describe, expect, test } from 'vitest'
import { close, listen } from '../../src/demo/ports.ts'
import { publishKey } from '../auth/published-keys.ts'
import { hostileTokens, type Target } from '../support/hostile-tokens.ts'
import { createApp } from '../support/oauth.ts'
import { createSigner } from '../support/tokens.ts'
import { world } from '../support/world.ts'

const { gatewayWith, identity, services, ada, bob } = await world({ own: true })
const { app, environment } = await createApp(identity)
const gateway = gatewayWith(environment)
const fetched: (string | undefined)[] = []
const attacker = createServer((request, response) => {
  fetched.push(request.url)
  response.end('{"keys":[]}')
})
const port = await listen(attacker, 0, '127.0.0.1')
const trusted = await createSigner('EdDSA', 'trusted')
await publishKey(identity, trusted)
const { issuer } = identity.betterAuth
const target: Target = {
  trusted,
  issuer,
  audience: issuer,
  userId: ada.id,
  attackerUrl: `http://127.0.0.1:${port}`,
  services,
}
const targetOfApps: Target = {
  ...target,
  issuer: app.issuer,
  audience: app.audience,
  claims: { client_id: app.clientId, azp: app.clientId, scope: 'identity:read identity:pii' },
  header: { typ: 'at+jwt' },
}

afterAll(() => close(attacker))

const claims = ({ issuer: iss, audience: aud, userId: sub, claims: further }: Target = target) => {
  const now = Math.floor(Date.now() / 1000)
  return { iss, aud, sub, iat: now, exp: now + 600, ...further }
}

async function expectRefusal(what: string, token: string) {
  const answer = await gateway.graphql('{ viewer { id } }', { token })
  expect(answer.status, what).toBe(401)
  expect(answer.errors, what).toEqual([
    {
      message: 'The credential is not valid.',
      extensions: { code: 'UNAUTHENTICATED', requestId: expect.any(String) },
    },
  ])
  expect(answer.data ?? null, what).toBeNull()
  const [, payload = ''] = token.split('.')
  if (payload.length > 10) expect(gateway.logged.join('\n'), what).not.toContain(payload)
}

describe.each([
  ['users', target],
  ['apps', targetOfApps],
])('of tokens for %s', (_whom, target) => {
  test('an honest one of the same key is accepted', async () => {
    const token = await target.trusted.sign(claims(target), target.header)
    const { data } = await gateway.graphql('{ viewer { id } }', { token })
    expect(data).toEqual({ viewer: { id: target.userId } })
  })

  test('every hostile one is refused alike, logged nowhere, and makes the gateway ask nobody', async () => {
    const tokens = await hostileTokens(target)
    expect(Object.keys(tokens).length).toBeGreaterThan(60)
    const asked = services.jwks.requests
    for (const [what, token] of Object.entries(tokens)) await expectRefusal(what, token)
    expect(fetched).toEqual([])
    // Only ever the configured address, and no more than the cool-down allows.
    expect(services.jwks.requests - asked).toBeLessThan(30)
  })
})

test.each<[what: string, changes: object, header?: object]>([
  ['clients in a list', { client_id: [app.clientId] }],
  ['no client but the one in azp', { client_id: null }],
  ['a number for a client', { azp: 7 }],
  ['another client in azp', { azp: 'another' }],
  ['its client for a subject', { sub: app.clientId }],
  ['subjects in a list', { sub: [ada.id] }],
  ['a client that is the user', { client_id: ada.id, azp: ada.id }],
  ['sessions in a list', { sid: [] }],
  ['a session without a name', { sid: '' }],
  ['a session that is an object', { sid: { toString: 'x' } }],
  ['resources in a list in a list', { aud: [[app.audience]] }],
  ['a resource that is an object', { aud: { [app.audience]: true } }],
  ['several other resources', { aud: [`${app.audience}/`, 'https://payroll.example.com'] }],
  ['no resource', { aud: undefined }],
  ['proof of nothing', { cnf: null }],
  ['types in a list', {}, { typ: ['at+jwt'] }],
  ['a type with a blank', {}, { typ: 'at+jwt ' }],
  ['no type', {}, { typ: undefined }],
])('a token of an app with %s is refused', async (what, changes, header = {}) => {
  const payload = { ...claims(targetOfApps), ...changes }
  await expectRefusal(what, await trusted.sign(payload as never, { typ: 'at+jwt', ...header }))
})

test.each<[scope: unknown, read: boolean, pii: boolean]>([
  ['identity:read identity:pii', true, true],
  ['  identity:read   identity:pii identity:read ', true, true],
  ['identity:read\tidentity:pii', false, false],
  ['identity:read\nidentity:pii', false, false],
  ['identity:read\u00a0identity:pii', false, false],
  ['identity:read,identity:pii', false, false],
  ['identity:read IDENTITY:PII', true, false],
  ['identity:read identity:pii\0', true, false],
  ['identity:read-all identity:*', false, false],
  ['"identity:read"', false, false],
  [['identity:read', 'identity:pii'], false, false],
  [{ 'identity:read': true }, false, false],
  [undefined, false, false],
])('the scopes %j of an app let it read (%s) and read addresses (%s)', async (scope, read, pii) => {
  const payload = { ...claims(targetOfApps), scope }
  const token = await trusted.sign(payload as never, { typ: 'at+jwt' })
  const { data } = await gateway.graphql('{ viewer { id email } }', { token })
  expect(data.viewer).toEqual(read ? { id: ada.id, email: pii ? ada.email : null } : null)
})

test('a session of another user, or of nobody, speaks for no user', async () => {
  const { sid } = decodeJwt(await app.token(bob, 'identity:read'))
  for (const session of [sid, 'nobody', "' or true --"]) {
    const payload = { ...claims(targetOfApps), sid: session }
    const token = await trusted.sign(payload as never, { typ: 'at+jwt' })
    const { data, errors } = await gateway.graphql('{ viewer { id } }', { token })
    expect([data, errors[0]?.extensions.code]).toEqual([{ viewer: null }, 'UNAUTHENTICATED'])
  }
})

test('the attacker could be reached', async () => {
  await fetch(`${target.attackerUrl}/probe`)
  expect(fetched.splice(0)).toEqual(['/probe'])
})

describe('a user remains a user', () => {
  test.each([
    ['a scope', { scope: 'identity:read identity:pii permissions:check' }],
    ['scopes and roles', { scp: ['identity:read'], role: 'admin', roles: ['admin'], admin: true }],
    ['names of properties', { __proto__: null, constructor: { prototype: { isAdmin: true } } }],
  ])('whose token carries %s', async (_what, extra) => {
    const token = await target.trusted.sign({ ...claims(), ...extra } as never)
    const { errors } = await gateway.graphql('{ users { totalCount } }', { token })
    expect(errors).toMatchObject([{ extensions: { code: 'FORBIDDEN' } }])
  })
})

test('a service cannot pass for a user, whatever its subject says', async () => {
  const token = await services.token('identity:read', { sub: target.userId })
  const { data } = await gateway.graphql('{ viewer { id } }', { token })
  expect(data).toEqual({ viewer: null })
})

test.each(['scope', 'list', 'object'])('scopes in another form (%s) are none', async (form) => {
  const scope = { scope: 'identity:read-all IDENTITY:READ', list: ['identity:read'], object: {} }[
    form
  ]
  const token = await services.token(undefined, { scope })
  const { errors } = await gateway.graphql('{ users { totalCount } }', { token })
  expect(errors).toMatchObject([{ extensions: { code: 'FORBIDDEN' } }])
})
