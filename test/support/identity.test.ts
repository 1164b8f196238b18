import { createLocalJWKSet, createRemoteJWKSet, decodeJwt, jwtVerify } from 'jose'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Identity, startIdentity } from './identity.ts'
import { startServiceIssuer } from './tokens.ts'

let identity: Identity

beforeAll(async () => {
  identity = await startIdentity({ algorithm: 'ES256' })
})

afterAll(async () => {
  await identity.stop()
})

test('people, organizations and members are made by Better Auth in a database of their own', async () => {
  const ada = await identity.signUp('Ada Lovelace')
  const bob = await identity.signUp('Bob')
  const acme = await identity.createOrganization(ada, 'Acme', { plan: 'pro' })
  await identity.addMember(acme, bob)
  const member = await identity.addMember(acme, await identity.signUp('Eve'), 'approver', 'clerk')
  expect(await identity.sql('select role from members order by created_at')).toEqual([
    { role: 'owner' },
    { role: 'member' },
    { role: 'approver,clerk' },
  ])
  expect(await identity.sql('select role from members where id = $1', [member])).toHaveLength(1)
  expect(acme.slug).toBe('acme')
})

test('a person’s token is a JWT of this Better Auth', async () => {
  const person = await identity.signUp('Grace')
  const { issuer, url } = identity.betterAuth
  const keys = createRemoteJWKSet(new URL(`${url}/jwks`))
  const { payload, protectedHeader } = await jwtVerify(await person.jwt(), keys, {
    issuer,
    audience: issuer,
  })
  expect(payload.sub).toBe(person.id)
  expect(protectedHeader.alg).toBe('ES256')
})

test('a service issuer publishes the key of its tokens', async () => {
  const services = await startServiceIssuer()
  const { keys } = await (await fetch(services.jwksUrl)).json()
  const token = await services.token('identity:read', { sub: 'billing' })
  await jwtVerify(token, createLocalJWKSet({ keys }), services)
  expect(decodeJwt(token)).toMatchObject({ scope: 'identity:read', sub: 'billing' })
  services.jwks.status = 500
  expect((await fetch(services.jwksUrl)).status).toBe(500)
  expect(services.jwks.requests).toBe(2)
  await services.stop()
})
