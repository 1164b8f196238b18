import type { JWK } from 'jose'

/** Why what a public key verifies proves nothing, as the key itself shows; `null`: nothing is known against it. */
export function findWeakness({ kty, n, e }: JWK): string | null {
  if (kty !== 'RSA') return null
  const modulus = toInteger(n)
  const exponent = toInteger(e)
  const bits = modulus.toString(2).length
  if (bits < LEAST_BITS) return `its modulus has ${bits} bits, and needs ${LEAST_BITS}`
  if (exponent < 3n || exponent % 2n === 0n) return `its exponent is ${exponent}`
  return hasRocaFingerprint(modulus)
    ? 'whoever has it can compute its private key (ROCA, CVE-2017-15361)'
    : null
}

const LEAST_BITS = 2048

function toInteger(base64url = ''): bigint {
  return BigInt(`0x0${Buffer.from(base64url, 'base64url').toString('hex')}`)
}

/** Of these primes 65537 has few powers, one of which each modulus of the flawed generator leaves as a remainder. */
const ROCA_PRIMES = [11, 13, 17, 19, 37, 53, 61, 71, 73, 79, 97, 103, 107, 109, 127, 151, 157]

function hasRocaFingerprint(modulus: bigint): boolean {
  return ROCA_PRIMES.every((prime) => isPower(Number(modulus % BigInt(prime)), 65537, prime))
}

/** Whether a remainder by a prime is that of a power of the base. */
function isPower(remainder: number, base: number, prime: number): boolean {
  let power = 1
  for (let i = 0; i < prime && power !== remainder; i++) power = (power * base) % prime
  return power === remainder
}
