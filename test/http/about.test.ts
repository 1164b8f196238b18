import { afterAll, describe, expect, test } from 'vitest'
import { createGateway, loadConfig } from '../../src/gateway.ts'
import { startServer } from '../../src/http/server.ts'

const secret = 'nobody-may-read-this'

function gatewayWith(environment: Readonly<Record<string, string>>) {
  return createGateway(
    loadConfig({
      DATABASE_URL: `postgresql://gateway:${secret}@127.0.0.1:1/identities`,
      AUTH_ISSUER: 'https://auth.internal.example',
      BETTER_AUTH_URL: 'https://auth.internal.example/api/auth',
      LOG_LEVEL: 'silent',
      ...environment,
    }),
  )
}

const production = gatewayWith({ NODE_ENV: 'production' })
const development = gatewayWith({})
const server = await startServer(production, { host: '127.0.0.1', port: 0 })

afterAll(async () => {
  await server.stop()
  await development.close()
})

const browser = 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8'

describe('the address of the gateway itself', () => {
  test('says what this is: to programs in JSON', async () => {
    for (const accept of ['*/*', 'application/json']) {
      const response = await fetch(server.url, { headers: { accept } })
      expect(response.status).toBe(200)
      expect(response.headers.get('content-type')).toBe('application/json; charset=utf-8')
      expect(await response.json()).toEqual({
        name: 'Identity Gateway',
        description: expect.stringContaining('read-only GraphQL API'),
        graphql: '/graphql',
        health: '/health',
        ready: '/ready',
        documents: expect.any(Object),
      })
    }
  })

  test('and to browsers in HTML, where they are shown GraphiQL, whose links lead somewhere', async () => {
    const ask = (path: string, accept: string) =>
      development.fetch(new Request(`http://gateway${path}`, { headers: { accept } }))
    const response = await ask('/', browser)
    expect(response.headers.get('content-type')).toBe('text/html; charset=utf-8')
    const page = await response.text()
    expect(page).toContain('GraphiQL')
    const links = [...page.matchAll(/href="(\/[^"]*)"/g)].map(([, path]) => path ?? '')
    expect(links).toEqual(['/graphql', '/ready'])
    for (const link of links) expect((await ask(link, browser)).status, link).not.toBe(404)
    expect(await (await ask('/', '*/*')).json()).toMatchObject({ graphiql: '/graphql' })
  })

  test('where they are not, browsers are told in JSON, too', async () => {
    const response = await fetch(server.url, { headers: { accept: browser } })
    expect(response.headers.get('content-type')).toBe('application/json; charset=utf-8')
    expect(await response.text()).not.toContain('graphiql')
  })

  test('tells nothing that is not for everybody', async () => {
    for (const gateway of [production, development])
      for (const accept of ['*/*', browser]) {
        const request = new Request('http://gateway/', { headers: { accept } })
        const text = await (await gateway.fetch(request)).text()
        expect(text).not.toMatch(/nobody-may|internal\.example|identities|127\.0\.0\.1/)
      }
  })
})
