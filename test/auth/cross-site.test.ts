import { afterAll, describe, expect, test } from 'vitest'
import { startServer } from '../../src/http/server.ts'
import type { Person } from '../support/identity.ts'
import { world } from '../support/world.ts'

const allowed = 'https://app.example.com'
const evil = 'https://evil.example.com'

const { gatewayWith, identity, ada } = await world({ own: true })
const cookie = await signIn(ada)
const environment = {
  AUTH_SESSIONS: 'on',
  BETTER_AUTH_SECRET: identity.betterAuth.secret,
  CORS_ORIGINS: allowed,
}
const start = (more: Readonly<Record<string, string>>) => {
  const gateway = gatewayWith({ ...environment, ...more })
  return startServer(gateway, { host: '127.0.0.1', port: 0 })
}
const server = await start({ INTROSPECTION: 'off' })

afterAll(() => server.stop())

/** The cookies that Better Auth sets, as a browser sends them back. */
async function signIn({ email, password }: Person): Promise<string> {
  const { url, issuer } = identity.betterAuth
  const response = await fetch(`${url}/sign-in/email`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', origin: issuer },
    body: JSON.stringify({ email, password }),
  })
  return response.headers
    .getSetCookie()
    .map((line) => line.split(';', 1)[0])
    .join('; ')
}

const query = '{ viewer { name } }'
const body = JSON.stringify({ query })

interface Sent {
  readonly method?: string
  readonly path?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string | FormData | URLSearchParams
}

/** Whom the gateway took the request to come from; `null`: nobody, or it was not answered at all. */
async function askedBy({ path = '/graphql', headers, ...sent }: Sent): Promise<string | null> {
  const response = await fetch(`${server.url}${path}`, { ...sent, headers: { cookie, ...headers } })
  const text = await response.text()
  return text.startsWith('{') ? (JSON.parse(text).data?.viewer?.name ?? null) : null
}

const byGet = `/graphql?query=${encodeURIComponent(query)}`
const json = { 'content-type': 'application/json' }
const form = () => {
  const data = new FormData()
  data.set('operations', body)
  data.set('map', '{}')
  return data
}

describe('a cookie counts when its page was asked about, or needs no asking:', () => {
  const requests: Record<string, () => Sent> = {
    'JSON without an origin, from a server': () => ({ method: 'POST', headers: json, body }),
    'JSON with a charset': () => ({
      method: 'POST',
      headers: { 'content-type': 'application/json; charset=utf-8' },
      body,
    }),
    'JSON from the page of an allowed origin': () => ({
      method: 'POST',
      headers: { ...json, origin: allowed },
      body,
    }),
    "JSON from a page of the gateway's own host": () => ({
      method: 'POST',
      headers: { ...json, origin: server.url },
      body,
    }),
    'GET with the header that makes browsers ask': () => ({
      path: byGet,
      headers: { 'graphql-require-preflight': '1' },
    }),
    'GET with that of Apollo': () => ({
      path: byGet,
      headers: { 'apollo-require-preflight': 'true' },
    }),
    'GET of JSON type': () => ({ path: byGet, headers: json }),
  }
  test.each(Object.entries(requests))('%s', async (_, request) => {
    expect(await askedBy(request())).toBe('Ada')
  })
})

describe('a cookie is as good as none with what any page can have a browser send:', () => {
  const attacks: Record<string, () => Sent> = {
    'a link, a picture, a script': () => ({ path: byGet }),
    'a link from another site': () => ({ path: byGet, headers: { origin: evil } }),
    'a form of text that is JSON': () => ({
      method: 'POST',
      headers: { 'content-type': 'text/plain', origin: evil },
      body,
    }),
    'text that calls itself JSON as well': () => ({
      method: 'POST',
      headers: { 'content-type': 'text/plain; application/json', origin: evil },
      body,
    }),
    'several types at once': () => ({
      method: 'POST',
      headers: { 'content-type': 'application/json, text/plain', origin: evil },
      body,
    }),
    'a form': () => ({
      method: 'POST',
      headers: { origin: evil },
      body: new URLSearchParams({ query }),
    }),
    'a form without an origin': () => ({ method: 'POST', body: new URLSearchParams({ query }) }),
    'a form of several parts': () => ({ method: 'POST', headers: { origin: evil }, body: form() }),
    'a body without a type': () => ({
      method: 'POST',
      headers: { 'content-type': '', origin: evil },
      body,
    }),
    'a sandboxed frame': () => ({ method: 'POST', headers: { ...json, origin: 'null' }, body }),
    // Browsers ask first and are not allowed; a client that does not ask gets no further.
    'JSON from another origin': () => ({
      method: 'POST',
      headers: { ...json, origin: evil },
      body,
    }),
    'JSON from another port of this host': () => ({
      method: 'POST',
      headers: { ...json, origin: 'http://127.0.0.1:1' },
      body,
    }),
    'JSON from an origin that begins like an allowed one': () => ({
      method: 'POST',
      headers: { ...json, origin: `${allowed}.evil.example` },
      body,
    }),
    'GET with the header, from another origin': () => ({
      path: byGet,
      headers: { 'graphql-require-preflight': '1', origin: evil },
    }),
  }
  test.each(Object.entries(attacks))('%s', async (_, attack) => {
    expect(await askedBy(attack())).toBeNull()
  })

  test('and nobody can tell by the answer whether there was one', async () => {
    const answers = await Promise.all(
      [{ cookie }, {}].map(async (headers: Record<string, string>) => {
        const response = await fetch(`${server.url}${byGet}`, { headers })
        return [response.status, await response.text()]
      }),
    )
    expect(answers[0]).toEqual(answers[1])
  })
})

describe('a cookie that does not count', () => {
  type Case = [why: string, headers: Record<string, string>, more: Record<string, string>]
  const [name = ''] = cookie.split('; ').filter((pair) => pair.includes('session_token='))
  const cases: Case[] = [
    ['origin', { cookie, origin: evil, ...json }, {}],
    ['needs preflight', { cookie }, {}],
    ['signature', { cookie: name.replace(/=.*/, '=tampered'), ...json }, {}],
    ['signature', { cookie, ...json }, { BETTER_AUTH_SECRET: 'x'.repeat(32) }],
    ['needs AUTH_SESSIONS', { cookie, ...json }, { AUTH_SESSIONS: 'off' }],
  ]

  test.each(cases)('is told why, and the log says it: %s', async (why, headers, more) => {
    const gateway = gatewayWith({ ...environment, ...more })
    const ask = async () => {
      const response = await gateway.fetch(new Request(`http://gateway${byGet}`, { headers }))
      return response.json()
    }
    expect(await ask()).toEqual({
      data: { viewer: null },
      extensions: {
        cookie: { ignored: why, hint: expect.stringMatching(/^A cookie of a session/) },
      },
    })
    const [line = ''] = gateway.logged.filter((one) => one.includes('"msg":"request"'))
    expect(JSON.parse(line)).toMatchObject({ caller: 'anonymous', cookieIgnored: why })
    expect(line).not.toContain('session_token')
    await gateway.close()
  })

  test('because its session is over, too', async () => {
    const eve = await identity.signUp('Eve the second')
    const ended = await signIn(eve)
    await identity.sql('delete from sessions where user_id = $1', [eve.id])
    const gateway = gatewayWith(environment)
    const headers = { cookie: ended, ...json }
    const response = await gateway.fetch(new Request(`http://gateway${byGet}`, { headers }))
    expect(await response.json()).toMatchObject({ extensions: { cookie: { ignored: 'session' } } })
    await gateway.close()
  })

  test('of somebody else, or beside a bearer, is nothing to tell', async () => {
    const gateway = gatewayWith(environment)
    for (const headers of [
      { cookie: 'consent=yes; _ga=1' },
      { cookie, authorization: `Bearer ${await ada.jwt()}` },
    ]) {
      const response = await gateway.fetch(new Request(`http://gateway${byGet}`, { headers }))
      expect(await response.json()).not.toHaveProperty('extensions')
    }
    await gateway.close()
  })
})

test('a bearer is believed with every request that GraphQL over HTTP knows, from anywhere', async () => {
  const headers = { authorization: `Bearer ${await ada.jwt()}`, cookie: '', origin: evil }
  for (const request of [
    { path: byGet, headers },
    { method: 'POST', headers: { ...headers, ...json }, body },
    { method: 'POST', headers, body: new URLSearchParams({ query }) },
  ])
    expect(await askedBy(request)).toBe('Ada')
})
