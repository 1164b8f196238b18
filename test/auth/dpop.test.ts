import { once } from 'node:events'
import { type IncomingMessage, request } from 'node:http'
import { text } from 'node:stream/consumers'
import { calculateJwkThumbprint, exportJWK, type JWK } from 'jose'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { PROOF_ALGORITHMS } from '../../src/auth/dpop.ts'
import { examineToken } from '../../src/doctor/token.ts'
import { startServer } from '../../src/http/server.ts'
import type { GatewayUnderTest } from '../support/gateway.ts'
import { createApp } from '../support/oauth.ts'
import { createProver } from '../support/prover.ts'
import { useRedis } from '../support/redis.ts'
import { startRedisProcess } from '../support/redis-process.ts'
import { createSigner } from '../support/tokens.ts'
import { world } from '../support/world.ts'

/* Tokens that are bound to a key, whose sender proves that they hold it (RFC 9449). */

const { gatewayWith, identity, services, ada } = await world({ own: true })
const { app, environment } = await createApp(identity)
const client = await createProver(app.audience)
const thief = await createProver(app.audience)
const bound = await app.token(ada, 'identity:read', { cnf: client.cnf })
const unbound = await app.token(ada, 'identity:read')
const algs = 'EdDSA ES256 ES512 PS256 RS256'

const servers: { stop(): Promise<void> }[] = []
afterAll(() => Promise.all(servers.map((server) => server.stop())))

interface Sent {
  readonly authorization?: string
  /** Each is a header of its own. */
  readonly proofs?: readonly string[]
  readonly method?: 'GET' | 'POST'
  readonly body?: unknown
}

const viewer = { query: '{ viewer { id } }' }

/** A gateway behind a real server, for whose clients it is at the resource's address. */
async function serve(gateway: GatewayUnderTest) {
  const server = await startServer(gateway, { host: '127.0.0.1', port: 0 })
  servers.push(server)
  return async ({ authorization, proofs = [], method = 'POST', body = viewer }: Sent) => {
    const query = method === 'GET' ? `?${new URLSearchParams({ query: viewer.query })}` : ''
    const asked = request(`${server.url}/graphql${query}`, {
      method,
      headers: {
        ...(method === 'POST' && { 'content-type': 'application/json' }),
        authorization: authorization ?? `DPoP ${bound}`,
        dpop: [...proofs],
      },
    })
    asked.end(method === 'POST' ? JSON.stringify(body) : undefined)
    const [response]: [IncomingMessage] = (await once(asked, 'response')) as never
    const answer = JSON.parse(await text(response))
    const line = gateway.logged.findLast((line) => line.includes('"msg":"request"')) ?? '{}'
    return {
      status: response.statusCode,
      challenge: response.headers['www-authenticate'],
      answer,
      refused: JSON.parse(line).refused,
    }
  }
}

const gateway = gatewayWith(environment)
const ask = await serve(gateway)
const welcome = { status: 200, answer: { data: { viewer: { id: ada.id } } } }

beforeAll(async () => {
  // The first token waits for the keys.
  await ask({ authorization: `Bearer ${unbound}` })
})

describe('a token that is bound to a key is accepted with a proof', () => {
  test.each(PROOF_ALGORITHMS)('signed with %s', async (alg) => {
    const own = await createProver(app.audience, alg)
    const token = await app.token(ada, 'identity:read', { cnf: own.cnf })
    const proofs = [await own.prove(token)]
    expect(await ask({ authorization: `DPoP ${token}`, proofs })).toMatchObject(welcome)
  })

  const now = () => Math.floor(Date.now() / 1000)
  test.each<[what: string, claims: () => Record<string, unknown>, method?: 'GET' | 'POST']>([
    ['for GET', () => ({ htm: 'GET' }), 'GET'],
    [
      'for the same URL in other letters',
      () => ({ htu: 'HTTPS://Identity.Example.com:443/x/../graphql' }),
    ],
    ['that names query and fragment', () => ({ htu: `${app.audience}?query=x#y` })],
    ['of nearly a minute ago', () => ({ iat: now() - 50 })],
    ['by a clock that is a little ahead', () => ({ iat: now() + 3 })],
  ])('%s', async (_what, claims, method = 'POST') => {
    expect(await ask({ method, proofs: [await client.prove(bound, claims())] })).toMatchObject(
      welcome,
    )
  })

  test('also of a service', async () => {
    const token = await services.token(undefined, { cnf: client.cnf })
    const body = { query: '{ organizations { totalCount } }' }
    const proofs = [await client.prove(token)]
    expect(await ask({ authorization: `dpop ${token}`, proofs, body })).toMatchObject({
      status: 200,
      answer: { data: { organizations: { totalCount: expect.any(Number) } } },
    })
    expect(await ask({ authorization: `Bearer ${token}`, body })).toMatchObject({ status: 401 })
  })

  test('for the Authorization API, at the URL that is asked there', async () => {
    const authzen = gatewayWith({ ...environment, AUTHZEN: 'on' })
    const bound = await app.token(ada, 'permissions:check', { cnf: client.cnf })
    const path = '/access/v1/evaluation'
    const evaluate = async (htu: string) => {
      const subject = { type: 'user', id: ada.id }
      const response = await authzen.fetch(
        new Request(`http://gateway${path}`, {
          method: 'POST',
          headers: {
            'content-type': 'application/json',
            authorization: `DPoP ${bound}`,
            dpop: await client.prove(bound, { htu }),
          },
          body: JSON.stringify({
            ...{ subject, action: { name: 'update' } },
            resource: { type: 'organization', id: 'none' },
          }),
        }),
      )
      return response.status
    }
    const base = app.audience.replace('/graphql', '')
    expect(await evaluate(`${base}${path}`)).toBe(200)
    expect(await evaluate(app.audience)).toBe(401)
    expect(await evaluate(`${base}/access/v1/evaluations`)).toBe(401)
  })

  test('that is verified and counts once, for all operations of the request', async () => {
    await ask({ proofs: [await client.prove(bound)] })
    const proofs = [await client.prove(bound)]
    const verify = vi.spyOn(crypto.subtle, 'verify')
    const { status, answer } = await ask({ proofs, body: [viewer, viewer, viewer] })
    expect([status, answer]).toEqual([200, Array(3).fill(welcome.answer)])
    expect(verify).toHaveBeenCalledTimes(1)
    verify.mockRestore()
    expect(await ask({ proofs })).toMatchObject({ status: 401, refused: 'proof replay' })
    expect(await ask({ proofs: [await client.prove(bound)] })).toMatchObject(welcome)
  })
})

const proof = 'DPoP error="invalid_dpop_proof"'
const token = 'DPoP error="invalid_token"'

describe('it is refused, and the log says why:', () => {
  const now = Math.floor(Date.now() / 1000)
  const prove = async (...how: Parameters<typeof client.prove> | []) => ({
    proofs: [await client.prove(how[0] ?? bound, how[1], how[2])],
  })
  /** Of a key whose private part the test need not have: a proof must not get as far as its signature. */
  const withKey = async (jwk: JWK, alg: string) => {
    const token = await app.token(ada, 'identity:read', {
      cnf: { jkt: await calculateJwkThumbprint(jwk) },
    })
    const [, payload, signature] = (await client.prove(token)).split('.')
    const header = { typ: 'dpop+jwt', alg, jwk }
    const encoded = Buffer.from(JSON.stringify(header)).toString('base64url')
    return { authorization: `DPoP ${token}`, proofs: [`${encoded}.${payload}.${signature}`] }
  }
  const rsa = (bytes: number, e = 'AQAB') => ({
    kty: 'RSA',
    n: Buffer.alloc(bytes, 0xab).toString('base64url'),
    e,
  })

  test.each<[reason: string, what: string, challenge: string, sent: () => Promise<Sent>]>([
    ['scheme', 'a bearer', token, async () => ({ authorization: `Bearer ${bound}` })],
    [
      'scheme',
      'a bearer with a proof',
      token,
      async () => ({ ...(await prove()), authorization: `Bearer ${bound}` }),
    ],
    [
      'scheme',
      'a token that is not bound, with a proof',
      token,
      async () => ({ ...(await prove(unbound)), authorization: `DPoP ${unbound}` }),
    ],
    [
      'scheme',
      'what is no JWT, with a proof',
      token,
      async () => ({ ...(await prove()), authorization: `DPoP ${ada.session}` }),
    ],
    [
      'proof',
      'what is bound to a certificate as well',
      token,
      async () => {
        const cnf = { ...client.cnf, 'x5t#S256': 'x' }
        const token = await app.token(ada, 'identity:read', { cnf })
        return { ...(await prove(token)), authorization: `DPoP ${token}` }
      },
    ],
    ['proof form', 'without a proof', proof, async () => ({})],
    [
      'proof form',
      'with two, each of which would do',
      proof,
      async () => ({ proofs: [await client.prove(bound), await client.prove(bound)] }),
    ],
    ['proof form', 'with what is no JWT', proof, async () => ({ proofs: ['x.y'] })],
    ['proof form', 'with what cannot be read', proof, async () => ({ proofs: ['x.y.z'] })],
    ['proof form', 'with another type', proof, () => prove(bound, {}, { typ: 'JWT' })],
    ['proof form', 'with what is too long', proof, () => prove(bound, { more: 'x'.repeat(4096) })],
    [
      'proof form',
      'with another algorithm',
      proof,
      async () => {
        const other = await createProver(app.audience, 'ES384')
        const token = await app.token(ada, 'identity:read', { cnf: other.cnf })
        return { authorization: `DPoP ${token}`, proofs: [await other.prove(token)] }
      },
    ],
    ['proof form', 'without a signature', proof, () => withKey(client.signer.publicJwk, 'none')],
    ['proof form', 'without an id', proof, () => prove(bound, { jti: undefined })],
    ['proof form', 'with an id that is no text', proof, () => prove(bound, { jti: 7 })],
    ['proof key', 'without a key', proof, () => prove(bound, {}, { jwk: undefined as never })],
    [
      'proof key',
      'with the private key',
      proof,
      async () => {
        const { privateKey } = client.signer
        return prove(bound, {}, { jwk: await exportJWK(privateKey) })
      },
    ],
    [
      'proof key',
      'with a secret in place of a key',
      proof,
      () => withKey({ kty: 'oct', k: 'c2VjcmV0' }, 'HS256'),
    ],
    ['proof key', 'with a weak key', proof, () => withKey(rsa(128), 'RS256')],
    ['proof key', 'with a key that everybody has', proof, () => withKey(rsa(256, 'AQ'), 'RS256')],
    ['proof key', 'of another key', proof, async () => ({ proofs: [await thief.prove(bound)] })],
    [
      'proof key',
      'that another key has signed',
      proof,
      async () => {
        const { kid: _, alg: __, ...jwk } = client.signer.publicJwk
        return { proofs: [await thief.prove(bound, {}, { jwk })] }
      },
    ],
    ['proof request', 'for another method', proof, () => prove(bound, { htm: 'GET' })],
    ['proof request', 'for no method', proof, () => prove(bound, { htm: undefined })],
    [
      'proof request',
      'for another host',
      proof,
      () => prove(bound, { htu: 'https://other.example.com/graphql' }),
    ],
    [
      'proof request',
      'for another path',
      proof,
      () => prove(bound, { htu: 'https://identity.example.com/graphql/x' }),
    ],
    [
      'proof request',
      'for another scheme',
      proof,
      () => prove(bound, { htu: 'http://identity.example.com/graphql' }),
    ],
    ['proof request', 'for no URL', proof, () => prove(bound, { htu: '/graphql' })],
    ['proof request', 'for another token', proof, () => prove(unbound)],
    ['proof request', 'for no token', proof, () => prove(bound, { ath: undefined })],
    ['proof time', 'that is old', proof, () => prove(bound, { iat: now - 90 })],
    ['proof time', 'that is of the future', proof, () => prove(bound, { iat: now + 600 })],
    ['proof time', 'without a time', proof, () => prove(bound, { iat: undefined })],
    ['proof time', 'that has ended', proof, () => prove(bound, { exp: now - 30 })],
  ])('%s, %s', async (reason, _what, told, sent) => {
    const { status, refused, challenge, answer } = await ask(await sent())
    expect([status, refused, challenge]).toEqual([
      401,
      reason,
      `Bearer error="invalid_token", resource_metadata="https://identity.example.com/.well-known/oauth-protected-resource/graphql", ${told}, algs="${algs}"`,
    ])
    expect(answer.errors.map(({ message }: Error) => message)).toEqual([
      'The credential is not valid.',
    ])
  })

  test('a proof that is refused has used up no id', async () => {
    const jti = 'once'
    await ask(await prove(bound, { jti, htm: 'GET' }))
    expect(await ask(await prove(bound, { jti }))).toMatchObject(welcome)
    // Ids are of each key by itself.
    const theirs = await app.token(ada, 'identity:read', { cnf: thief.cnf })
    const proofs = [await thief.prove(theirs, { jti })]
    expect(await ask({ authorization: `DPoP ${theirs}`, proofs })).toMatchObject(welcome)
    expect(await ask(await prove(bound, { jti, iat: now - 3 }))).toMatchObject({
      refused: 'proof replay',
    })
  })

  test('needs PUBLIC_URL, where nothing says what clients ask', async () => {
    const urn = 'urn:identity'
    const named = await app.token(ada, 'identity:read', { aud: urn, cnf: client.cnf })
    const own = { ...environment, OAUTH_AUDIENCE: urn }
    const closed = await serve(gatewayWith(own))
    const url = 'https://api.example.com/who'
    const sent = async () => ({
      authorization: `DPoP ${named}`,
      proofs: [await client.prove(named, { htu: url })],
    })
    expect(await closed(await sent())).toMatchObject({
      status: 401,
      refused: 'needs PUBLIC_URL',
      challenge: 'Bearer error="invalid_token"',
    })
    const open = await serve(gatewayWith({ ...own, PUBLIC_URL: url }))
    expect(await open(await sent())).toMatchObject(welcome)
  })
})

describe('a proof comes once', () => {
  const again = { status: 401, refused: 'proof replay' }

  test('to all gateways with one Redis', async () => {
    const { url, prefix } = useRedis()
    const shared = { ...environment, REDIS_URL: url, REDIS_KEY_PREFIX: prefix }
    const [one, other] = [await serve(gatewayWith(shared)), await serve(gatewayWith(shared))]
    const proofs = [await client.prove(bound)]
    expect(await one({ proofs })).toMatchObject(welcome)
    expect(await other({ proofs })).toMatchObject(again)
    expect(await one({ proofs })).toMatchObject(again)
    expect(await other({ proofs: [await client.prove(bound)] })).toMatchObject(welcome)
  })

  test('to each, while Redis is gone or hangs', async () => {
    const redis = await startRedisProcess()
    const shared = { ...environment, REDIS_URL: redis.url, REDIS_TIMEOUT_MS: '100' }
    const [one, other] = [await serve(gatewayWith(shared)), await serve(gatewayWith(shared))]
    const before = [await client.prove(bound)]
    expect(await one({ proofs: before })).toMatchObject(welcome)
    redis.hang()
    const during = [await client.prove(bound)]
    expect(await one({ proofs: during })).toMatchObject(welcome)
    await redis.kill()
    for (const proofs of [before, during]) expect(await one({ proofs })).toMatchObject(again)
    expect(await other({ proofs: during })).toMatchObject(welcome)
  })
})

test('clients learn how proofs are signed, and pages of other origins may send them', async () => {
  const metadata = async (asked: GatewayUnderTest) =>
    (
      await asked.fetch(new Request('http://gateway/.well-known/oauth-protected-resource'))
    ).json() as Promise<object>
  expect(await metadata(gateway)).toMatchObject({
    dpop_signing_alg_values_supported: algs.split(' '),
  })
  const origin = 'https://app.example.com'
  const { headers } = await gatewayWith({ ...environment, CORS_ORIGINS: origin }).fetch(
    new Request('http://gateway/graphql', {
      method: 'OPTIONS',
      headers: {
        origin,
        'access-control-request-method': 'POST',
        'access-control-request-headers': 'authorization,content-type,dpop',
      },
    }),
  )
  expect(headers.get('access-control-allow-headers')).toMatch(/\bdpop\b/)
})

test('a token that nobody trusts is refused before its proof is looked at', async () => {
  const signer = await createSigner('EdDSA', 'nobody')
  const forged = await signer.sign({ iss: app.issuer, cnf: client.cnf }, { typ: 'at+jwt' })
  const proofs = [await client.prove(forged)]
  expect(await ask({ authorization: `DPoP ${forged}`, proofs })).toMatchObject({ refused: 'key' })
})

test('doctor says that a token counts with a proof alone, or what it lacks', async () => {
  const given = {
    DATABASE_URL: identity.readOnlyUrl,
    AUTH_ISSUER: identity.betterAuth.issuer,
    ...environment,
  }
  const verdictOf = async (token: string, further = {}) =>
    (await examineToken({ ...given, ...further }, token)).findings[0]
  expect(await verdictOf(bound)).toEqual({
    check: 'token',
    level: 'info',
    message: `It is a token of the app "app" for the user "${ada.id}", with the scopes identity:read. It is bound to a key (cnf.jkt): it counts as Authorization: DPoP alone, and with a proof that this key has signed for the request.`,
  })
  const certified = await app.token(ada, 'identity:read', { cnf: { 'x5t#S256': 'x' } })
  expect(await verdictOf(certified)).toMatchObject({
    level: 'error',
    message: expect.stringContaining('(proof): it is bound to {"x5t#S256":"x"} (cnf)'),
  })
  const urn = await app.token(ada, 'identity:read', { aud: 'urn:identity', cnf: client.cnf })
  expect(await verdictOf(urn, { OAUTH_AUDIENCE: 'urn:identity' })).toMatchObject({
    level: 'error',
    message: expect.stringMatching(/\(needs PUBLIC_URL\): .*: set PUBLIC_URL\.$/),
  })
})
