import { afterEach, describe, expect, test, vi } from 'vitest'
import { acceptingKeys, createKeys, organizationConfig } from '../support/api-keys.ts'
import { changesWorld } from '../support/changes-world.ts'
import type { Subscribed, SubscribeOptions } from '../support/events.ts'
import { createApp } from '../support/oauth.ts'
import { createOpaqueTokens } from '../support/opaque-tokens.ts'
import { createProver } from '../support/prover.ts'

const { of, listen } = await changesWorld()
const { sql, ada, bob, carol, rita, ivy, acme, identity, services } = of
const giveKey = await createKeys(identity)
const giveOpaque = await createOpaqueTokens(identity)
const { app, environment } = await createApp(identity)
const allowed = 'https://app.example.com'
const { subscribe, server } = await listen({
  ...{ ...environment, ...(await acceptingKeys(identity)) },
  ...{ OAUTH_OPAQUE_TOKENS: 'on', CORS_ORIGINS: allowed },
  ...{ AUTH_SESSIONS: 'on', BETTER_AUTH_SECRET: identity.betterAuth.secret },
})

const VIEWER = 'subscription { viewerChanged { kind viewer { name } } }'
const ended = { data: { viewerChanged: { kind: 'ENDED', viewer: null } } }
const soon = () => Math.floor(Date.now() / 1000) + 2

async function begun(options: SubscribeOptions): Promise<Subscribed> {
  const stream = await subscribe(VIEWER, options)
  expect(await stream.next()).toMatchObject({ data: { viewerChanged: { kind: 'READ_AGAIN' } } })
  return stream
}

const rename = (id: string, name: string) =>
  sql('update users set name = $2 where id = $1', [id, name])

/** That the next event is the last one, and tells nothing. */
async function endsWith(stream: Subscribed, last: object = ended): Promise<void> {
  expect(await stream.next()).toEqual(last)
  expect(await stream.end()).toBe('complete')
  expect(await stream.isQuiet(0)).toBe(true)
}

/** Of a new session of this person, as a bearer and as a cookie. */
async function signIn({ email, password }: { email: string; password: string }) {
  const { headers, response } = await identity.betterAuth.auth.api.signInEmail({
    body: { email, password },
    returnHeaders: true,
  })
  const cookie = headers
    .getSetCookie()
    .map((one) => one.split(';')[0])
    .join('; ')
  return { bearer: headers.get('set-auth-token') ?? '', cookie, token: response.token }
}

describe('what ends a stream, before anything more is told:', () => {
  test('a token that has expired', async () => {
    const ofService = await subscribe('subscription { accessChanged { kind userIds } }', {
      token: await services.token('identity:read', { exp: soon() }),
    })
    await ofService.next()
    const ofApp = await begun({ token: await app.token(rita, 'identity:read', { exp: soon() }) })
    await rename(rita.id, 'Rita in time')
    expect((await ofApp.next()).data.viewerChanged.viewer.name).toBe('Rita in time')
    await ofService.next()
    await vi.waitUntil(() => Date.now() > (soon() - 2) * 1000 + 200, 1500)
    await new Promise((resolve) => setTimeout(resolve, 2500))
    await rename(rita.id, 'Rita too late')
    await endsWith(ofApp)
    await endsWith(ofService, { data: { accessChanged: { kind: 'ENDED', userIds: [] } } })
  })

  test('a session that is revoked, come as a bearer or as a cookie, and no other', async () => {
    const [one, other] = [await signIn(ivy), await signIn(ivy)]
    const asPage = { cookie: one.cookie, 'sec-fetch-site': 'same-origin' }
    const ending = [
      await begun({ token: one.bearer }),
      await begun({ headers: asPage, byGet: true }),
      await begun({ headers: { cookie: one.cookie } }),
    ]
    const staying = await begun({ token: other.bearer })
    await identity.betterAuth.auth.api.revokeSession({
      body: { token: one.token },
      headers: new Headers({ authorization: `Bearer ${other.bearer}` }),
    })
    for (const stream of ending) await endsWith(stream)
    expect((await staying.next()).data.viewerChanged.kind).toBe('CHANGED')
    await identity.betterAuth.auth.api.signOut({
      headers: new Headers({ authorization: `Bearer ${other.bearer}` }),
    })
    await endsWith(staying)
  })

  test('a key that is deleted, disabled, or may no longer read', async () => {
    const keys = [
      await giveKey({ reference_id: ada.id }),
      await giveKey({ reference_id: ada.id }),
      await giveKey({ reference_id: ada.id }),
    ]
    const streams = []
    for (const key of keys) streams.push(await begun({ headers: { 'x-api-key': key } }))
    const [deleted, disabled, narrowed] = keys.map((key) => key.slice(-8))
    await sql('delete from api_keys where id = $1', [deleted])
    await sql('update api_keys set enabled = false where id = $1', [disabled])
    await sql(`update api_keys set permissions = '{"permissions":["check"]}' where id = $1`, [
      narrowed,
    ])
    await rename(ada.id, 'Ada unseen')
    for (const stream of streams) await endsWith(stream)
  })

  test('an opaque token that is revoked', async () => {
    const stream = await begun({ token: await giveOpaque(ada) })
    await sql('update oauth_access_tokens set revoked = now()')
    await rename(ada.id, 'Ada revoked')
    await endsWith(stream)
  })

  test('an app that is disabled, and the session in which the user consented', async () => {
    const [session] = await sql<{ id: string }>('select id from sessions where user_id = $1', [
      bob.id,
    ])
    const token = await app.token(bob, 'identity:read', { sid: session?.id })
    const ofSession = await begun({ token })
    await sql('delete from sessions where id = $1', [session?.id])
    await endsWith(ofSession)
    const ofApp = await begun({ token: await app.token(ada, 'identity:read') })
    await sql('update oauth_clients set disabled = true')
    await rename(ada.id, 'Ada disabled')
    await endsWith(ofApp)
    await sql('update oauth_clients set disabled = false')
  })

  test('an account that is banned or gone, whoever speaks for it', async () => {
    const streams = [
      await begun({ token: await carol.jwt() }),
      await begun({ token: carol.session }),
      await begun({ token: await app.token(carol, 'identity:read') }),
      await begun({ headers: { 'x-api-key': await giveKey({ reference_id: carol.id }) } }),
    ]
    await sql('update users set banned = true where id = $1', [carol.id])
    for (const stream of streams) await endsWith(stream)
    await sql('update users set banned = false where id = $1', [carol.id])
    const gone = await begun({ token: await carol.jwt() })
    await sql('delete from users where id = $1', [carol.id])
    await endsWith(gone)
  })
})

describe('a credential of which no notice comes', () => {
  afterEach(() => void vi.restoreAllMocks())

  test('is looked at all the same', async () => {
    const { setTimeout: real } = globalThis
    vi.spyOn(globalThis, 'setTimeout').mockImplementation(((work: () => void, ms: number) =>
      real(work, ms === 30_000 ? 300 : ms)) as typeof setTimeout)
    const alone = await listen({ ...environment, ...(await acceptingKeys(identity)) })
    const key = await giveKey({ reference_id: acme.id, config_id: organizationConfig })
    const query = `subscription { organizationChanged(id: "${acme.id}") { kind organization { name } } }`
    const stream = await alone.subscribe(query, { headers: { 'x-api-key': key } })
    await stream.next()
    const staying = await alone.subscribe(VIEWER, { token: await ada.jwt() })
    await staying.next()
    expect(await stream.isQuiet(700)).toBe(true)
    await sql('delete from api_keys where id = $1', [key.slice(-8)])
    await endsWith(stream, { data: { organizationChanged: { kind: 'ENDED', organization: null } } })
    expect(await staying.isQuiet(500)).toBe(true)
  })
})

describe('a token that is bound to a key', () => {
  test('is proven once, and good for as long as it lasts', async () => {
    const client = await createProver(app.audience)
    const token = await app.token(ada, 'identity:read', { cnf: client.cnf })
    const proof = await client.prove(token, { iat: Math.floor(Date.now() / 1000) - 57 })
    const headers = { authorization: `DPoP ${token}`, dpop: proof }
    const stream = await begun({ headers })
    const again = await subscribe(VIEWER, { headers })
    expect([again.status, (await again.next()).errors[0].extensions.code]).toEqual([
      ...[401, 'UNAUTHENTICATED'],
    ])
    // By now the proof is too old for another request.
    await new Promise((resolve) => setTimeout(resolve, 4000))
    await rename(ada.id, 'Ada proven')
    expect((await stream.next()).data.viewerChanged.viewer.name).toBe('Ada proven')
    const missing = await subscribe(VIEWER, { headers: { authorization: `DPoP ${token}` } })
    expect(missing.status).toBe(401)
  })
})

describe('a cookie, as EventSource sends it,', () => {
  const ask = async (headers: Record<string, string>, byGet = true) => {
    const { cookie } = await signIn(rita)
    const stream = await subscribe(VIEWER, { headers: { cookie, ...headers }, byGet })
    const { errors, extensions } = await stream.next()
    const code = errors?.[0].extensions.code ?? 'told'
    stream.close()
    return [code, extensions?.cookie.ignored].filter(Boolean).join(': ')
  }
  const host = new URL(server.url).host

  test.each([
    ['told', 'a page of the same origin', { 'sec-fetch-site': 'same-origin' }],
    ['told', 'a page of an allowed origin', { origin: allowed, 'sec-fetch-site': 'cross-site' }],
    ['told', 'a page that says it is of this host', { origin: `http://${host}` }],
    ['UNAUTHENTICATED: origin', 'a page of another', { origin: 'https://evil.example.com' }],
    ['UNAUTHENTICATED: origin', 'no origin', { origin: 'null', 'sec-fetch-site': 'same-origin' }],
    ['UNAUTHENTICATED: needs preflight', 'something that says nothing', {}],
    ['UNAUTHENTICATED: needs preflight', 'a link', { 'sec-fetch-site': 'none' }],
    ['UNAUTHENTICATED: needs preflight', 'an image elsewhere', { 'sec-fetch-site': 'cross-site' }],
    ['UNAUTHENTICATED: needs preflight', 'a page of a sister', { 'sec-fetch-site': 'same-site' }],
    [
      'UNAUTHENTICATED: needs preflight',
      'what takes more',
      { 'sec-fetch-site': 'same-origin', accept: 'text/event-stream, multipart/mixed' },
    ],
  ])('counts or not (%s): %s', async (expected, _, headers) => {
    expect(await ask(headers)).toBe(expected)
  })

  test('lets pages of allowed origins read, and of no others', async () => {
    const { cookie } = await signIn(rita)
    const headersFor = async (origin: string) => {
      const stream = await subscribe(VIEWER, { headers: { cookie, origin }, byGet: true })
      stream.close()
      return stream.headers
    }
    expect(await headersFor(allowed)).toMatchObject({
      ...{ 'access-control-allow-origin': allowed, 'access-control-allow-credentials': 'true' },
      vary: expect.stringContaining('Origin'),
    })
    expect(await headersFor('https://evil.example.com')).not.toHaveProperty(
      'access-control-allow-origin',
    )
  })
})
