import { createServer } from 'node:http'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { NoKeys } from '../../src/auth/key-source.ts'
import { urlKeySource } from '../../src/auth/url-key-source.ts'
import { close, listen } from '../../src/demo/ports.ts'

let answer = { status: 200, body: '', headers: {} }
const server = createServer((_, response) => {
  response.writeHead(answer.status, answer.headers).end(answer.body)
})
let origin = ''

beforeAll(async () => {
  origin = `http://127.0.0.1:${await listen(server, 0, '127.0.0.1')}`
})
afterAll(() => close(server))

const place = (url: string) => `No key set can be read from AUTH_JWKS (${url}). `

async function refusal(url: string): Promise<string> {
  const outcome: unknown = await urlKeySource(new URL(url), 'AUTH_JWKS')().catch(
    (error: unknown) => error,
  )
  if (outcome instanceof NoKeys) return outcome.message
  throw new Error('There are keys.', { cause: outcome })
}

test.each([
  [302, 'redirects to https://login.example, which', { location: 'https://login.example/?next=x' }],
  [301, 'redirects to OWN, which', { location: '/elsewhere?secret=x' }],
  [308, 'redirects to another URL, which', {}],
  [401, 'answers 401: let everybody read it', {}],
  [404, 'answers 404: Better Auth with its jwt plug-in has it at /api/auth/jwks', {}],
  [502, 'answers 502: see its log, and that of a proxy', {}],
])('an answer of %i is told with what to do', async (status, what, headers) => {
  answer = { status, body: 'secret', headers }
  const said = await refusal(`${origin}/jwks?secret=x`)
  expect(said).toContain(place(`${origin}/jwks`))
  expect(said).toContain(what.replace('OWN', origin))
  expect(said).not.toContain('secret')
})

test.each([
  ['a page', ' <!doctype html>', 'answers with a page (HTML) in place of a key set'],
  ['no JSON', 'secret', 'answers with something else in place of a key set'],
  ['other JSON', '{"keys":"secret"}', 'answers with something else in place of a key set'],
])('%s is no key set', async (_, body, what) => {
  answer = { status: 200, body, headers: {} }
  const said = await refusal(`${origin}/jwks`)
  expect(said).toContain(what)
  expect(said).not.toContain('secret')
})

test('keys, and that there is none', async () => {
  const source = urlKeySource(new URL(`${origin}/jwks`), 'AUTH_JWKS')
  answer = { status: 200, body: '{"keys":[{"kty":"OKP"}]}', headers: {} }
  expect(await source()).toEqual({ keys: [{ kty: 'OKP' }], lack: null })
  answer = { status: 200, body: '{"keys":[]}', headers: {} }
  expect(await source()).toEqual({
    keys: [],
    lack: expect.stringContaining('a key set that has no key, so no token can be verified'),
  })
})

test.each([
  ['http://no-such-host.invalid/jwks', 'no-such-host.invalid cannot be used because there is no'],
  ['http://127.0.0.1:2/jwks', '127.0.0.1:2 does not answer, for nothing listens there'],
  ['http://127.0.0.1:6000/jwks', '127.0.0.1:6000 is named with a port that fetch does not ask'],
])('%s is not reached', async (url, what) => {
  expect(await refusal(url)).toContain(`${place(url)}${what}`)
})

test('a user and a password are named as what is wrong, and not repeated', async () => {
  const said = await refusal(origin.replace('//', '//user:hunter2@'))
  expect(said).toContain('take them out of the URL')
  expect(said).not.toMatch(/user:|hunter2/)
})

test('TLS is not spoken', async () => {
  expect(await refusal(`${origin.replace('http:', 'https:')}/jwks`)).toContain('speaks no TLS')
})
