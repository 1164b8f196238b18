import { afterAll, expect, test } from 'vitest'
import { createGateway, loadConfig } from '../../src/gateway.ts'
import { startServer } from '../../src/http/server.ts'

const environment = {
  DATABASE_URL: 'postgresql://nobody@127.0.0.1:1/nothing',
  AUTH_ISSUER: 'https://auth.example.com',
  LOG_LEVEL: 'silent',
}
const gateway = createGateway(loadConfig(environment))
const server = await startServer(gateway, { host: '127.0.0.1', port: 0 })

afterAll(() => server.stop())

/** By both ways into the gateway. */
async function both(headers: Readonly<Record<string, string>>): Promise<readonly Response[]> {
  const init = { headers: { accept: 'text/html', ...headers } }
  return [
    await fetch(`${server.url}/graphql`, init),
    await gateway.fetch(new Request('http://gateway/graphql', init)),
  ]
}

test("GraphiQL's page is compressed for whoever takes that, and no cache but their own keeps it", async () => {
  const [plain] = await both({ 'accept-encoding': 'identity' })
  const text = (await plain?.text()) ?? ''
  expect(plain?.headers.get('content-encoding')).toBeNull()
  expect(text).toContain('<title>Identity Gateway</title>')
  const takes = { 'accept-encoding': 'gzip, br' }
  const [served, byFetch] = await both(takes)
  for (const response of [served, byFetch]) {
    expect(response?.status).toBe(200)
    expect(response?.headers.get('content-type')).toMatch('text/html')
    expect(response?.headers.get('cache-control')).toBe('private, no-cache')
    expect(response?.headers.get('vary')).toContain('Accept-Encoding')
  }
  // This client undoes the compression of what comes over HTTP.
  expect(await served?.text()).toBe(text)
  expect(served?.headers.get('content-encoding')).toBe('gzip')
  expect(Number(served?.headers.get('content-length'))).toBeLessThan(text.length / 3)
  // Whoever serves by the Fetch API compresses as they like.
  expect(byFetch?.headers.get('content-encoding')).toBeNull()
  expect(await byFetch?.text()).toBe(text)
})

test('nor is it sent again to a browser that has it', async () => {
  const takes = { 'accept-encoding': 'gzip' }
  const [first] = await both(takes)
  const etag = first?.headers.get('etag') ?? ''
  expect(etag).toMatch(/^"[\w-]{43}-gzip"$/)
  for (const again of await both({ ...takes, 'if-none-match': `W/${etag}` })) {
    expect(again.status).toBe(304)
    expect(await again.text()).toBe('')
  }
  for (const again of await both({ ...takes, 'if-none-match': '"another"' }))
    expect(again.status).toBe(200)
})

test('with tokens of callers in it, no browser keeps it', async () => {
  const callers = [{ name: 'Ada', token: 'a.b.c' }]
  const choosing = createGateway(loadConfig(environment), { graphiqlCallers: callers })
  const headers = { accept: 'text/html' }
  const response = await choosing.fetch(new Request('http://gateway/graphql', { headers }))
  expect(await response.text()).toContain('a.b.c')
  expect(response.headers.get('cache-control')).toBe('no-store')
  expect(response.headers.get('etag')).toBeNull()
  await choosing.close()
})
