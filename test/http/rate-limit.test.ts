import { get } from 'node:http'
import { afterEach, expect, test } from 'vitest'
import { type Server, startServer } from '../../src/http/server.ts'
import { world } from '../support/world.ts'

const { gatewayWith, ada: first, bob: second } = await world()
const ada = await first.jwt()
const bob = await second.jwt()
let server: Server | undefined

afterEach(async () => {
  await server?.stop()
  server = undefined
})

async function serve(environment: Readonly<Record<string, string>>) {
  server = await startServer(gatewayWith(environment), { host: '127.0.0.1', port: 0 })
  const { url } = server
  return {
    url,
    ask: (token?: string, headers: Readonly<Record<string, string>> = {}) =>
      fetch(`${url}/graphql`, {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
          ...headers,
        },
        body: JSON.stringify({ query: '{ viewer { name } }' }),
      }),
  }
}

async function expectLimited(response: Response) {
  expect(response.status).toBe(429)
  const seconds = Number(response.headers.get('retry-after'))
  expect(seconds).toBeGreaterThan(0)
  expect(seconds).toBeLessThanOrEqual(60)
  expect(await response.json()).toMatchObject({
    errors: [{ extensions: { code: 'RATE_LIMITED' } }],
  })
}

test('an address is answered 429 above its number, whoever it says it is, but for its health', async () => {
  const { url, ask } = await serve({ RATE_LIMIT_PER_MINUTE: '3' })
  const answers = [
    await ask(),
    await ask(ada),
    await ask(undefined, { 'x-forwarded-for': '1.2.3.4' }),
  ]
  expect(answers.map(({ status }) => status)).toEqual([200, 200, 200])
  await expectLimited(await ask())
  await expectLimited(await ask(bob, { 'x-forwarded-for': '5.6.7.8' }))
  await expectLimited(await fetch(`${url}/graphql?query={__typename}`))
  expect((await fetch(`${url}/health`)).status).toBe(200)
  expect((await fetch(`${url}/ready`)).status).toBe(200)
})

test('a page of another origin reads that it asked too often, whichever lane it came by', async () => {
  const origin = 'https://app.example.com'
  const { ask } = await serve({ RATE_LIMIT_PER_MINUTE: '1', CORS_ORIGINS: origin })
  expect((await ask()).status).toBe(200)
  for (const lane of [{}, { accept: 'text/html, application/json' }]) {
    const response = await ask(undefined, { ...lane, origin })
    expect(Object.fromEntries(response.headers)).toMatchObject({
      'access-control-allow-origin': origin,
      'access-control-expose-headers': expect.stringContaining('retry-after'),
      vary: expect.stringContaining('Origin'),
    })
    await expectLimited(response)
  }
})

test('behind a proxy that is trusted, each client is counted, and each user wherever they are', async () => {
  const { ask } = await serve({ RATE_LIMIT_PER_MINUTE: '2', TRUST_PROXY: '127.0.0.1' })
  const at = (client: number) => ({ 'x-forwarded-for': `made-up, 198.51.100.${client}` })
  expect((await ask(ada, at(1))).status).toBe(200)
  expect((await ask(ada, at(2))).status).toBe(200)
  await expectLimited(await ask(ada, at(3)))
  expect((await ask(bob, at(3))).status).toBe(200)
  await expectLimited(await ask(bob, at(3)))
})

test.each([
  ['several headers', 'x-forwarded-for', ['1.1.1.1', '198.51.100.7']],
  ['a port', 'x-forwarded-for', ['1.1.1.1, 198.51.100.7:4711']],
  ['another header', 'CF-Connecting-IP', ['198.51.100.7']],
  ['RFC 7239', 'forwarded', ['for=1.1.1.1', 'for="198.51.100.7:4711";proto=https']],
])('behind a proxy that writes %s, the client is counted', async (_what, header, values) => {
  const { url } = await serve({
    RATE_LIMIT_PER_MINUTE: '1',
    TRUST_PROXY: '1',
    TRUST_PROXY_HEADER: header,
  })
  const ask = (sent: readonly string[]) =>
    new Promise((resolve, reject) => {
      const headers = { [header]: [...sent] }
      get(`${url}/graphql?query={__typename}`, { headers }, (response) => {
        response.resume()
        resolve(response.statusCode)
      }).on('error', reject)
    })
  expect(await ask(values)).toBe(200)
  expect(await ask(values)).toBe(429)
  expect(await ask(values.map((value) => value.replace('.7', '.8')))).toBe(200)
  // Of others than the one that was told, nothing is believed.
  const other = header === 'x-forwarded-for' ? 'forwarded' : 'x-forwarded-for'
  const made = (address: string) =>
    fetch(`${url}/graphql?query={__typename}`, { headers: { [other]: address } })
  expect((await made('9.9.9.1')).status).toBe(200)
  expect((await made('9.9.9.2')).status).toBe(429)
})

test('without the variable nobody is counted', async () => {
  const { ask } = await serve({})
  const statuses = await Promise.all(Array.from({ length: 30 }, async () => (await ask()).status))
  expect(new Set(statuses)).toEqual(new Set([200]))
})
