import { afterAll, describe, expect, test } from 'vitest'
import { corsFor, credentialHeaders } from '../../src/http/cors.ts'
import { headOfFetch } from '../../src/http/head.ts'
import { startServer } from '../../src/http/server.ts'
import { world } from '../support/world.ts'

const origin = 'https://app.example.com'
const { gatewayWith, ada } = await world()
const gateway = gatewayWith({ CORS_ORIGINS: origin })
const server = await startServer(gateway, { host: '127.0.0.1', port: 0 })
const authorization = `Bearer ${await ada.jwt()}`

afterAll(() => server.stop())

/** By both ways into the gateway. */
async function both(path: string, init: RequestInit = {}): Promise<readonly Response[]> {
  return [
    await fetch(`${server.url}${path}`, init),
    await gateway.fetch(new Request(`http://gateway${path}`, init)),
  ]
}

const byGet = `/graphql?query=${encodeURIComponent('{ viewer { name } }')}`
const post = { method: 'POST', body: JSON.stringify({ query: '{ viewer { name } }' }) }
const json = { 'content-type': 'application/json' }

const answers: Readonly<Record<string, readonly [string, RequestInit]>> = {
  'a POST of JSON': ['/graphql', { ...post, headers: { ...json, authorization } }],
  'a GET': [byGet, { headers: { authorization } }],
  'a refused credential': [
    '/graphql',
    { ...post, headers: { ...json, authorization: 'Bearer x' } },
  ],
  'what cannot be parsed': ['/graphql', { method: 'POST', headers: json, body: '{' }],
  'a page of an allowed origin': ['/graphql', { ...post, headers: { ...json, origin } }],
}

describe('no cache keeps', () => {
  test.each(Object.keys(answers))('the answer to %s', async (what) => {
    const [path, init] = answers[what] ?? ['', {}]
    for (const response of await both(path, init)) {
      expect(response.headers.get('cache-control')).toBe('no-store')
      expect(response.headers.get('vary')).toBe('Accept, Authorization, Cookie, Origin')
    }
  })
})

test('where API keys are credentials, their header is one by which answers differ', () => {
  const names = credentialHeaders({ header: 'x-my-key' })
  const headers = corsFor([], names)(headOfFetch(new Request('http://gateway/graphql')))
  expect(headers).toMatchObject({ vary: 'Accept, Authorization, Cookie, x-my-key' })
})
