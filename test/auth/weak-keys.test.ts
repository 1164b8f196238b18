import { randomBytes } from 'node:crypto'
import { expect, test } from 'vitest'
import { findWeakness } from '../../src/auth/weak-keys.ts'
import { createSigner } from '../support/tokens.ts'

const { publicJwk } = await createSigner('RS256')

function jwkOf(modulus: bigint) {
  const hex = modulus.toString(16)
  const bytes = Buffer.from(hex.padStart(hex.length + (hex.length % 2), '0'), 'hex')
  return { kty: 'RSA', e: 'AQAB', n: bytes.toString('base64url') }
}

const random = () => jwkOf(BigInt(`0x${randomBytes(256).toString('hex')}`) | (1n << 2047n) | 1n)

test('nothing is held against keys as they are made', async () => {
  const others = await Promise.all(['EdDSA', 'ES256', 'ES512'].map((alg) => createSigner(alg)))
  for (const jwk of [publicJwk, ...others.map((signer) => signer.publicJwk)])
    expect(findWeakness(jwk)).toBeNull()
  for (let i = 0; i < 500; i++) expect(findWeakness(random())).toBeNull()
})

test.each([
  ['its exponent is 1', { ...publicJwk, e: 'AQ' }],
  ['its exponent is 2', { ...publicJwk, e: 'Ag' }],
  ['its exponent is 0', { ...publicJwk, e: '' }],
  ['its modulus has 2047 bits, and needs 2048', jwkOf((1n << 2046n) | 1n)],
  ['its modulus has 1 bits, and needs 2048', { kty: 'RSA' }],
  // Every power of 65537 leaves a power of it as a remainder, as the flawed generator's primes and their products do.
  [expect.stringContaining('ROCA'), jwkOf(65537n ** 128n)],
])('what is weak about a key is said: %s', (weakness, jwk) => {
  expect(findWeakness(jwk)).toEqual(weakness)
})
