import { expect, test } from 'vitest'
import { betterAuthFor } from '../../src/better-auth/writes.ts'
import { world } from '../support/world.ts'

const { identity, ada, eve, acme } = await world({ own: true })

test('a change is made in the name of whoever sent the request', async () => {
  const rename = (caller: Headers) =>
    betterAuthFor(identity.betterAuth.url, caller).organization.update({
      organizationId: acme.id,
      data: { name: 'Acme & Sons' },
    })
  expect((await rename(new Headers())).error?.status).toBe(401)
  expect((await rename(eve.headers)).error?.status).toBeGreaterThanOrEqual(400)
  const { data, error } = await rename(ada.headers)
  expect(error).toBeNull()
  expect(data?.name).toBe('Acme & Sons')
})

test('a cookie serves as well, and nothing else of the request is passed on', async () => {
  const response = await fetch(`${identity.betterAuth.url}/sign-in/email`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ email: ada.email, password: ada.password }),
  })
  const cookie = response.headers
    .getSetCookie()
    .map((line) => line.split(';', 1)[0])
    .join('; ')
  const caller = new Headers({
    cookie,
    origin: identity.betterAuth.issuer,
    'content-length': '7',
    host: 'elsewhere.example.com',
    'transfer-encoding': 'chunked',
  })
  const client = betterAuthFor(identity.betterAuth.url, caller)
  const { data } = await client.organization.create({ name: 'By cookie', slug: 'by-cookie' })
  expect(data?.slug).toBe('by-cookie')
})
