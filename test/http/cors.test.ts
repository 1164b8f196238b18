import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createGateway, type Gateway, loadConfig } from '../../src/gateway.ts'

const allowed = 'https://app.example.com'
const second = 'https://admin.example.com'
let gateway: Gateway

function gatewayWith(origins: string): Gateway {
  return createGateway(
    loadConfig({
      DATABASE_URL: 'postgresql://nobody@127.0.0.1:1/nothing',
      AUTH_ISSUER: 'https://auth.example.com',
      CORS_ORIGINS: origins,
      LOG_LEVEL: 'silent',
    }),
  )
}

beforeAll(() => {
  gateway = gatewayWith(`${allowed}, ${second}`)
})

afterAll(() => gateway.close())

function post(origin: string | null, { asked = gateway, authorization = '' } = {}) {
  return asked.fetch(
    new Request('http://gateway/graphql', {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        ...(origin === null ? {} : { origin }),
        ...(authorization === '' ? {} : { authorization }),
      },
      body: JSON.stringify({ query: '{ viewer { id } }' }),
    }),
  )
}

function preflight(origin: string, asked = gateway) {
  return asked.fetch(
    new Request('http://gateway/graphql', {
      method: 'OPTIONS',
      headers: {
        origin,
        'access-control-request-method': 'POST',
        'access-control-request-headers': 'content-type,authorization',
      },
    }),
  )
}

const corsHeaders = ({ headers }: Response) =>
  Object.fromEntries([...headers].filter(([name]) => name.startsWith('access-control-')))

describe.each([allowed, second])('a page of %s', (origin) => {
  test('may send its credentials and read the answer', async () => {
    expect(corsHeaders(await post(origin))).toEqual({
      'access-control-allow-origin': origin,
      'access-control-allow-credentials': 'true',
      'access-control-expose-headers': 'www-authenticate, retry-after, x-request-id',
    })
  })

  test('may read refusals as well', async () => {
    const answer = await post(origin, { authorization: 'Bearer nonsense' })
    expect(answer.status).toBe(401)
    expect(answer.headers.get('access-control-allow-origin')).toBe(origin)
  })

  test('asks first and hears what it may send', async () => {
    const answer = await preflight(origin)
    expect(answer.status).toBe(204)
    expect(corsHeaders(answer)).toMatchObject({
      'access-control-allow-origin': origin,
      'access-control-allow-credentials': 'true',
      'access-control-allow-methods': 'POST',
      'access-control-max-age': '7200',
      'access-control-allow-headers': 'content-type,authorization',
    })
  })
})

test.each([
  'https://evil.example.com',
  'http://app.example.com',
  'https://app.example.com:8443',
  'https://app.example.com.evil.example',
  'https://APP.example.com',
  'null',
  '*',
])('a page of %s may neither', async (origin) => {
  expect(corsHeaders(await post(origin))).toEqual({})
  expect(corsHeaders(await preflight(origin))).toEqual({})
})

test('caches are told that answers differ by origin, also those without one', async () => {
  for (const answer of [
    await post(allowed),
    await post('https://evil.example.com'),
    await post(null),
    await preflight(allowed),
    await preflight('https://evil.example.com'),
  ])
    expect(answer.headers.get('vary')).toMatch(/(^|, )Origin$/)
})

test('without CORS_ORIGINS no page of another origin may ask', async () => {
  const closed = gatewayWith('')
  expect(corsHeaders(await post(allowed, { asked: closed }))).toEqual({})
  expect(corsHeaders(await preflight(allowed, closed))).toEqual({})
  await closed.close()
})
