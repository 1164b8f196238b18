import { get } from 'node:http'
import { createRemoteJWKSet, jwtVerify } from 'jose'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type BetterAuthServer, startBetterAuth } from '../../src/demo/better-auth.ts'
import { createDatabase, type Database } from '../support/database.ts'

let database: Database
let server: BetterAuthServer

beforeAll(async () => {
  database = await createDatabase('empty')
  server = await startBetterAuth({
    databaseUrl: database.url,
    documents: { '/services/jwks': { keys: [] } },
  })
})

afterAll(async () => {
  await server.stop()
  await database.drop()
})

test('its tables have plural snake_case names', async () => {
  const rows = await database.sql<{ name: string }>(
    `select table_name as name from information_schema.tables where table_schema = 'public' order by 1`,
  )
  expect(rows.map(({ name }) => name)).toEqual([
    'accounts',
    'invitations',
    'jwks',
    'members',
    'organization_roles',
    'organizations',
    'sessions',
    'team_members',
    'teams',
    'two_factors',
    'users',
    'verifications',
  ])
  const camelCase = await database.sql(
    `select column_name from information_schema.columns where table_schema = 'public' and column_name <> lower(column_name)`,
  )
  expect(camelCase).toEqual([])
})

test('somebody can sign up over HTTP, and the token verifies against the published keys', async () => {
  const response = await fetch(`${server.url}/sign-up/email`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', origin: server.issuer },
    body: JSON.stringify({ name: 'Ada', email: 'ada@example.com', password: 'a long password' }),
  })
  expect(response.status).toBe(200)
  const authorization = `Bearer ${response.headers.get('set-auth-token')}`
  const { token } = await (
    await fetch(`${server.url}/token`, { headers: { authorization } })
  ).json()
  const { payload, protectedHeader } = await jwtVerify(
    token,
    createRemoteJWKSet(new URL(`${server.url}/jwks`)),
    { issuer: server.issuer, audience: server.issuer },
  )
  expect(protectedHeader.alg).toBe('EdDSA')
  expect(payload.sub).toBe((await response.json()).user.id)
})

test('a request under another host name is refused', async () => {
  const { port } = new URL(server.url)
  expect(await statusFor('/api/auth/ok', `127.0.0.1:${port}`)).toBe(200)
  expect(await statusFor('/api/auth/ok', `localhost:${port}`)).toBe(200)
  expect(await statusFor('/api/auth/ok', `evil.example:${port}`)).toBe(421)
  expect(await statusFor('/api/auth/ok', '127.0.0.1:1')).toBe(421)
})

test('documents are served beside Better Auth, and nothing else is', async () => {
  const document = await fetch(`${server.issuer}/services/jwks`)
  expect(await document.json()).toEqual({ keys: [] })
  expect((await fetch(`${server.issuer}/toString`)).status).toBe(404)
})

test('a taken port is replaced by a free one', async () => {
  const port = Number(new URL(server.url).port)
  const second = await startBetterAuth({ databaseUrl: database.url, port })
  expect(new URL(second.url).port).not.toBe(String(port))
  expect((await fetch(`${second.url}/ok`)).status).toBe(200)
  await second.stop()
})

/** fetch does not let the Host header be chosen. */
function statusFor(path: string, host: string): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    get(`${server.issuer}${path}`, { headers: { host } }, (response) => {
      response.resume()
      resolve(response.statusCode)
    }).on('error', reject)
  })
}
