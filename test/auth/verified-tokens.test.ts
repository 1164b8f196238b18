import { SignJWT } from 'jose'
import { afterEach, beforeAll, expect, test, vi } from 'vitest'
import { createJwtVerifier } from '../../src/auth/jwt.ts'
import { createSigner } from '../support/tokens.ts'
import { world } from '../support/world.ts'
import { publishKey } from './published-keys.ts'

const { gateway, gatewayWith, identity, sql, ada, bob } = await world({ own: true })
const signer = await createSigner('EdDSA', 'own')
await publishKey(identity, signer)

beforeAll(async () => {
  // The first token waits for the keys, and is not remembered.
  await viewer(await tokenOf(ada.id))
})

afterEach(() => {
  vi.useRealTimers()
  vi.restoreAllMocks()
})

function tokenOf(sub: string, lifeSeconds = 600, by = signer): Promise<string> {
  const { issuer } = identity.betterAuth
  const iat = Math.floor(Date.now() / 1000)
  return by.sign({ iss: issuer, aud: issuer, sub, iat, exp: iat + lifeSeconds })
}

async function viewer(token: string, from = gateway): Promise<string | number> {
  const { status, data } = await from.graphql('{ viewer { id } }', { token })
  return status === 200 ? data.viewer.id : status
}

test('a token that comes again is not verified again', async () => {
  const verify = vi.spyOn(crypto.subtle, 'verify')
  const token = await tokenOf(ada.id)
  for (let i = 0; i < 5; i++) expect(await viewer(token)).toBe(ada.id)
  expect(verify).toHaveBeenCalledTimes(1)
  expect(await viewer(await tokenOf(bob.id))).toBe(bob.id)
  expect(verify).toHaveBeenCalledTimes(2)
})

test('it is refused in the very second in which it expires', async () => {
  const token = await tokenOf(ada.id, 60)
  expect(await viewer(token)).toBe(ada.id)
  const { exp } = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString())
  vi.useFakeTimers({ toFake: ['Date'], now: exp * 1000 - 1 })
  expect(await viewer(token)).toBe(ada.id)
  vi.setSystemTime(exp * 1000)
  expect(await viewer(token)).toBe(401)
})

test('it is refused once its key is withdrawn and the held keys are a minute old', async () => {
  const withdrawn = await createSigner('EdDSA', 'withdrawn')
  await publishKey(identity, withdrawn)
  const own = gatewayWith({})
  const token = await tokenOf(ada.id, 600, withdrawn)
  for (let i = 0; i < 3; i++) expect(await viewer(token, own)).toBe(ada.id)
  await sql("delete from jwks where id = 'withdrawn'")
  const now = performance.now()
  vi.spyOn(performance, 'now').mockReturnValue(now + 61_000)
  expect(await viewer(token, own)).toBe(401)
  await own.close()
})

test('it vouches for none but itself', async () => {
  const token = await tokenOf(ada.id)
  expect(await viewer(token)).toBe(ada.id)
  const [header, payload, signature = ''] = token.split('.')
  const [, other] = (await tokenOf(bob.id)).split('.')
  const forged = [
    [header, other, signature],
    [header, payload, signature.replace(/^./, (first) => (first === 'A' ? 'B' : 'A'))],
    [header, payload, ''],
    [header, payload],
  ]
  for (const parts of forged) expect(await viewer(parts.join('.'))).toBe(401)
  expect(await viewer(token)).toBe(ada.id)
})

test('what one configuration has verified another refuses', async () => {
  const token = await tokenOf(ada.id)
  expect(await viewer(token)).toBe(ada.id)
  for (const changed of [
    { AUTH_AUDIENCE: 'https://elsewhere.example.com' },
    { AUTH_ISSUER: 'https://elsewhere.example.com', AUTH_AUDIENCE: identity.betterAuth.issuer },
    { AUTH_ALGORITHMS: 'RS256' },
  ]) {
    const other = gatewayWith(changed)
    expect(await viewer(token, other)).toBe(401)
    await other.close()
  }
})

test('so many are remembered, and the one not seen for longest makes room', async () => {
  const getKey = vi.fn(async () => Buffer.alloc(32, 'secret'))
  const keys = {}
  const users = { issuer: 'issuer', audience: 'audience', keys: { getKey, held: () => keys } }
  const verify = createJwtVerifier({ users, oauth: null, services: [], algorithms: ['HS256'] })
  const tokenOf = (sub: string) =>
    new SignJWT({ sub, iss: 'issuer', aud: 'audience' })
      .setProtectedHeader({ alg: 'HS256' })
      .setExpirationTime('1h')
      .sign(Buffer.alloc(32, 'secret'))
  const [first, second] = [await tokenOf('first'), await tokenOf('second')]
  await verify(first)
  await verify(second)
  for (let i = 0; i < 10_000; i++) {
    await verify(await tokenOf(`user ${i}`))
    await verify(first)
  }
  expect(getKey).toHaveBeenCalledTimes(10_002)
  await verify(second)
  expect(getKey).toHaveBeenCalledTimes(10_003)
})
