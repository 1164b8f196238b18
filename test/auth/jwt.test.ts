import { type JWTHeaderParameters, type JWTPayload, SignJWT, UnsecuredJWT } from 'jose'
import { describe, expect, test } from 'vitest'
import { gatewayFor } from '../support/gateway.ts'
import { createSigner, startServiceIssuer } from '../support/tokens.ts'
import { world } from '../support/world.ts'
import { publishKey } from './published-keys.ts'

const { gateway, gatewayWith, identity, services, ada, eve: stranger } = await world({ own: true })
const trusted = await createSigner('EdDSA', 'trusted')
const usual = ['ES256', 'ES512', 'RS256', 'PS256']
const others = await Promise.all([...usual, 'ES384'].map((alg) => createSigner(alg)))
// Its public key has the exponent 1, so that anybody can write what it verifies.
const weak = await createSigner('RS256', 'weak')
const published = { ...weak, publicJwk: { ...weak.publicJwk, e: 'AQ' } }
for (const signer of [trusted, published, ...others]) await publishKey(identity, signer)

const now = Math.floor(Date.now() / 1000)

type Changes = { readonly [claim: string]: unknown }

function claims(changes: Changes = {}): JWTPayload {
  const { issuer } = identity.betterAuth
  return {
    iss: issuer,
    aud: issuer,
    sub: ada.id,
    iat: now,
    exp: now + 600,
    ...changes,
  } as JWTPayload
}

function sign(changes?: Changes, header?: Partial<JWTHeaderParameters>): Promise<string> {
  return trusted.sign(claims(changes), header)
}

const ask = (token: string) => gateway.graphql('{ viewer { id } }', { token })

test.each<[reason: string, token: () => Promise<string> | string]>([
  ['issuer', () => sign({ iss: 'https://elsewhere.example.com' })],
  ['issuer', () => sign({ iss: `${identity.betterAuth.issuer}/` })],
  ['audience', () => sign({ aud: 'https://elsewhere.example.com' })],
  ['expired', () => sign({ iat: now - 700, exp: now - 1 })],
  ['claim', () => sign({ nbf: now + 300 })],
  ['type', () => sign({}, { typ: 'logout+jwt' })],
  ['type', () => sign({ at_hash: 'of-an-id-token' })],
  ['needs OAUTH_AUDIENCE', () => sign({}, { typ: 'at+jwt' })],
  ['needs AUTH_SESSIONS', () => ada.session],
  ['service', () => services.token('', { client_id: 'app' })],
  ['subject', () => sign({ sub: '' })],
  ['key', async () => (await createSigner('EdDSA', 'made-up')).sign(claims())],
  ['signature', async () => (await createSigner('EdDSA', trusted.kid)).sign(claims())],
  ['weak key', () => weak.sign(claims())],
  ['algorithm', () => signWith('ES384')],
  ['malformed', () => 'no.such.token'],
  ['too long', () => 'x'.repeat(9000)],
])('the log says why a token is refused, and the client is not told: %s', async (reason, token) => {
  const credential = await token()
  const { status, errors } = await ask(credential)
  expect([status, errors[0]?.message]).toEqual([401, 'The credential is not valid.'])
  const line = gateway.logged.findLast((line) => line.includes('"msg":"request"')) ?? ''
  expect(JSON.parse(line)).toMatchObject({ codes: ['UNAUTHENTICATED'], refused: reason })
  expect(line).not.toContain(credential)
})

test('the log says that somebody is impersonated where the token does', async () => {
  const callers = []
  for (const impersonatedBy of [undefined, '', 7, 'an-admin']) {
    const { data, caller } = await gateway.told('{ viewer { id } }', {
      token: await sign({ impersonatedBy }),
    })
    expect(data).toEqual({ viewer: { id: ada.id } })
    callers.push(caller)
  }
  expect(callers).toEqual(['user', 'user', 'user', 'impersonated'])
})

test('of several audiences a token needs one', async () => {
  const wide = gatewayWith({ AUTH_AUDIENCE: 'web, mobile' })
  const statusOf = async (aud: unknown) =>
    (await wide.graphql('{ viewer { id } }', { token: await sign({ aud }) })).status
  expect(await Promise.all(['web', ['other', 'mobile'], 'web, mobile', []].map(statusOf))).toEqual([
    200, 200, 401, 401,
  ])
})

test('of several issuers a token needs one, of users as of services', async () => {
  const moving = gatewayFor(identity, {
    ...services.environment,
    AUTH_ISSUER: 'https://old.example.com, https://new.example.com',
    AUTH_AUDIENCE: 'web',
    SERVICE_ISSUER: `https://old-services.example.com, ${services.issuer}`,
    SERVICE_AUDIENCE: `else, ${services.audience}`,
  })
  const statusOf = async (token: string) =>
    (await moving.graphql('{ viewer { id } }', { token })).status
  const user = (iss: string) => sign({ iss, aud: 'web' })
  const tokens = [
    user('https://old.example.com'),
    user('https://new.example.com'),
    user('https://old.example.com, https://new.example.com'),
    services.token(),
    services.token('', { iss: 'https://old-services.example.com', aud: 'else' }),
    services.token('', { iss: 'https://new.example.com' }),
  ]
  expect(await Promise.all(tokens.map(async (token) => statusOf(await token)))).toEqual([
    200, 200, 401, 200, 200, 401,
  ])
  await moving.close()
})

test('keys of one service issuer verify nothing of another', async () => {
  const other = await startServiceIssuer('ES384')
  const issuer = 'https://others.example.com'
  const both = gatewayFor(identity, {
    AUTH_ALGORITHMS: 'EdDSA,ES256,ES384',
    SERVICE_ISSUER: `${services.issuer}, ${issuer}`,
    SERVICE_AUDIENCE: services.audience,
    SERVICE_JWKS_URL: `${services.jwksUrl}, ${other.jwksUrl}`,
  })
  const statusOf = async (token: string) =>
    (await both.graphql('{ viewer { id } }', { token })).status
  const tokens = [
    services.token(),
    other.token('', { iss: issuer }),
    services.token('', { iss: issuer }),
    other.token(),
  ]
  const statuses = await Promise.all(tokens.map(async (token) => statusOf(await token)))
  expect(statuses).toEqual([200, 200, 401, 401])
  await both.close()
  await other.stop()
})

describe('a token is refused with 401', () => {
  const bad: Record<string, () => Promise<string> | string> = {
    'with a wrong signature': async () => (await sign()).replace(/\.[^.]+$/, `.${'A'.repeat(86)}`),
    'whose claims were changed after signing': async () => {
      const [header, , signature] = (await sign()).split('.')
      const changed = Buffer.from(JSON.stringify(claims({ sub: 'else' }))).toString('base64url')
      return `${header}.${changed}.${signature}`
    },
    'signed by a stranger under a known key id': async () =>
      (await createSigner('EdDSA', trusted.kid)).sign(claims()),
    'with an unknown key id': async () => (await createSigner('EdDSA', 'made-up')).sign(claims()),
    'without a key id while there are several keys': () => sign({}, { kid: undefined as never }),
    'of another issuer': () => sign({ iss: 'https://elsewhere.example.com' }),
    'without an issuer': () => sign({ iss: undefined }),
    'for another audience': () => sign({ aud: 'https://elsewhere.example.com' }),
    'without an audience': () => sign({ aud: undefined }),
    'that has expired': () => sign({ iat: now - 700, exp: now - 1 }),
    'without an expiry': () => sign({ exp: undefined }),
    'that is not valid yet': () => sign({ nbf: now + 300 }),
    'without a subject': () => sign({ sub: undefined }),
    'with an empty subject': () => sign({ sub: '' }),
    'with a NUL in the subject': () => sign({ sub: `${ada.id}\0` }),
    'with an endless subject': () => sign({ sub: 'x'.repeat(257) }),
    'with a subject that is not text': () => sign({ sub: 7 }),
    'that nobody signed': () => new UnsecuredJWT(claims()).encode(),
    'signed by HS256 with the public key as the secret': () => {
      const secret = new TextEncoder().encode(JSON.stringify(trusted.publicJwk))
      return new SignJWT(claims())
        .setProtectedHeader({ alg: 'HS256', kid: trusted.kid })
        .sign(secret)
    },
    'of a published key whose algorithm is not configured': () => signWith('ES384'),
    'that is a session cookie of Better Auth': () =>
      sign({}, { typ: 'better-auth.session-cache+jwt' }),
    'of another type': () => sign({}, { typ: 'logout+jwt' }),
    'that is an access token of an OAuth provider': () => sign({}, { typ: 'at+jwt' }),
    'that is too long': () => sign({ padding: 'x'.repeat(8192) }),
    'that is no token': () => 'garbage',
    'that has three parts of nothing': () => 'a.b.c',
    'that is the session token of Better Auth': () => ada.session,
    'of the service issuer, signed by the user issuer': () =>
      sign({ iss: services.issuer, aud: services.audience, scope: 'identity:read' }),
    'of the user issuer, signed by the service issuer': () =>
      services.signer.sign(claims({ scope: 'identity:read' })),
    'of the user issuer for the audience of services': () =>
      sign({ aud: services.audience, scope: 'identity:read' }),
    'of a service for another audience': () =>
      services.token('identity:read', { aud: identity.betterAuth.issuer }),
    'of a service that has expired': () => services.token('identity:read', { exp: now - 1 }),
    'of a service without an expiry': () =>
      services.token('identity:read', { exp: undefined } as never),
  }

  test.each(Object.keys(bad))('%s', async (what) => {
    const answer = await ask((await bad[what]?.()) ?? '')
    expect(answer.status).toBe(401)
    expect(answer.headers.get('www-authenticate')).toMatch(/^Bearer\b/)
    expect(answer.errors).toMatchObject([{ extensions: { code: 'UNAUTHENTICATED' } }])
    expect(answer.data ?? null).toBeNull()
  })

  test.each(['Basic YTpi', 'Bearer', 'Bearer ', 'Bearer a b', 'Token abc'])(
    'as the header %j',
    async (authorization) => {
      const answer = await gateway.graphql('{ viewer { id } }', { headers: { authorization } })
      expect(answer.status).toBe(401)
      expect(answer.headers.get('www-authenticate')).toMatch(/^Bearer\b/)
    },
  )

  test('and what the token says is neither in the answer nor in the log', async () => {
    const token = await sign({ exp: now - 1, email: 'ada@example.com' })
    const answer = await ask(token)
    const seen = JSON.stringify([answer.errors, gateway.logged])
    for (const secret of [token, token.split('.')[1] ?? token, 'ada@example.com'])
      expect(seen).not.toContain(secret)
  })
})

function signWith(alg: string): Promise<string> {
  const signer = others.find((other) => other.alg === alg)
  if (!signer) throw new Error(`No key for ${alg}.`)
  return signer.sign(claims())
}

describe('a token is accepted', () => {
  test('that Better Auth has signed', async () => {
    expect((await ask(await ada.jwt())).data).toEqual({ viewer: { id: ada.id } })
  })

  test.each(['EdDSA', ...usual])('signed by %s', async (alg) => {
    const token = alg === 'EdDSA' ? await sign() : await signWith(alg)
    expect((await ask(token)).data).toEqual({ viewer: { id: ada.id } })
  })

  test.each([undefined, 'JWT', 'jwt'])('of the type %j', async (typ) => {
    const token = await sign({}, typ === undefined ? {} : { typ })
    expect((await ask(token)).data).toEqual({ viewer: { id: ada.id } })
  })

  test('for several audiences, one of which is ours', async () => {
    const token = await sign({ aud: ['elsewhere', identity.betterAuth.issuer] })
    expect((await ask(token)).data).toEqual({ viewer: { id: ada.id } })
  })

  test('of a service, also as an access token by its type', async () => {
    for (const header of [{}, { typ: 'at+jwt' }]) {
      const token = await services.signer.sign(
        {
          iss: services.issuer,
          aud: services.audience,
          sub: 'payroll',
          client_id: 'payroll',
          exp: now + 600,
          scope: 'openid identity:read',
        },
        header,
      )
      const answer = await gateway.graphql('query ($id: ID!) { user(id: $id) { id } }', {
        token,
        variables: { id: ada.id },
      })
      expect(answer.data).toEqual({ user: { id: ada.id } })
    }
  })
})

test('a user token that carries scopes is still the token of a user', async () => {
  const token = await sign({ scope: 'identity:read identity:pii permissions:check', role: 'admin' })
  const answer = await gateway.graphql(
    'query ($id: ID!) { viewer { id } user(id: $id) { id } userByEmail(email: "stranger@example.com") { id } }',
    { token, variables: { id: stranger.id } },
  )
  expect(answer.data).toEqual({ viewer: { id: ada.id }, user: null, userByEmail: null })
  expect(answer.errors).toEqual([])
})

test('scopes count as whole words of a text', async () => {
  for (const scope of ['identity:reader', 'IDENTITY:READ', 'x-identity:read', ['identity:read']]) {
    const token = await services.token(scope as string)
    const answer = await gateway.graphql('query ($id: ID!) { user(id: $id) { id } }', {
      token,
      variables: { id: ada.id },
    })
    expect(answer.data).toEqual({ user: null })
    expect(answer.errors).toMatchObject([{ extensions: { code: 'FORBIDDEN' } }])
  }
})

describe('a token of the service issuer', () => {
  const DOOR = '{ organizations { totalCount } }'
  const ask = async (claims: Record<string, unknown>, asked = gateway) => {
    const token = await services.token('identity:read', claims)
    const { status, errors } = await asked.graphql(DOOR, { token })
    return status === 200 && errors.length === 0
      ? 'a service'
      : [status, errors[0]?.extensions.code]
  }
  const refusedAnswer = [401, 'UNAUTHENTICATED']

  test.each([
    ['that names no client', { client_id: undefined }, refusedAnswer],
    ['whose subject is its client', { client_id: 'payroll' }, 'a service'],
    [
      'whose subject is its authorized party',
      { client_id: undefined, azp: 'payroll' },
      'a service',
    ],
    ['of a user who consented to an app', { sub: 'a-user', client_id: 'payroll' }, refusedAnswer],
    [
      'of a user, by its authorized party',
      { sub: 'a-user', client_id: undefined, azp: 'payroll' },
      refusedAnswer,
    ],
    ['whose client is no text', { client_id: ['payroll'] }, refusedAnswer],
    ['whose client is null', { client_id: null }, refusedAnswer],
    [
      'that names neither client nor subject',
      { sub: undefined, client_id: undefined },
      refusedAnswer,
    ],
  ])('%s', async (_what, claims, expected) => {
    expect(await ask(claims)).toEqual(expected)
  })

  test.each([
    [{ gty: 'client-credentials' }, 'a service'],
    [{ sub: 'abc@clients' }, 'a service'],
    [{ name: 'service-account-of-x-here' }, 'a service'],
    [{ name: 'service-account-of-here-x' }, refusedAnswer],
    [{ gty: 'client-credentials-not' }, refusedAnswer],
    [{ gty: ['client-credentials'] }, refusedAnswer],
    [{ sub: 'a-user', client_id: 'a-user' }, refusedAnswer],
    [{}, refusedAnswer],
  ])('where marks are configured, with %j', async (claims, expected) => {
    const marked = gatewayFor(identity, {
      SERVICE_ISSUER: services.issuer,
      SERVICE_AUDIENCE: services.audience,
      SERVICE_JWKS_URL: services.jwksUrl,
      SERVICE_SUBJECTS: 'gty=client-credentials, sub=*@clients, name=service-*-of*-here',
    })
    expect(await ask(claims, marked)).toEqual(expected)
    await marked.close()
  })
})

test('without a service issuer in the configuration its tokens are refused', async () => {
  const plain = gatewayFor(identity)
  const answer = await plain.graphql('{ viewer { id } }', { token: await services.token() })
  expect(answer.status).toBe(401)
  await plain.close()
})

test('no credential at all is anonymous, not an error', async () => {
  const answer = await gateway.graphql('{ viewer { id } }')
  expect(answer).toMatchObject({ status: 200, data: { viewer: null }, errors: [] })
})
