import type { JSONWebKeySet } from 'jose'
import { z } from 'zod'
import type { SigningKeyRepository } from '../domain/signing-key.ts'

/** Where public keys come from. Rejects when they cannot be had. */
export type KeySource = () => Promise<JSONWebKeySet>

/** Better Auth keeps a key verifiable for this long after it has expired, to outlast the tokens it signed. */
const GRACE_MS = 30 * 24 * 3600 * 1000

/** The `jwks` table of Better Auth, read as its own `/jwks` endpoint shows it, without a limit on the number of rows. */
export function databaseKeySource(signingKeys: SigningKeyRepository): KeySource {
  return async () => {
    const rows = await signingKeys.findAll()
    const usable = rows.filter((key) => !key.expiresAt || +key.expiresAt + GRACE_MS > Date.now())
    return {
      keys: usable.map(({ kid, jwk, alg }) => ({
        ...(jwk as JSONWebKeySet['keys'][number]),
        ...(alg === null ? {} : { alg }),
        kid,
      })),
    }
  }
}

const keySet = z.object({ keys: z.array(z.looseObject({ kty: z.string() })) })
const FETCH_TIMEOUT_MS = 3000

export function urlKeySource(url: URL): KeySource {
  return async () => {
    const response = await fetch(url, {
      headers: { accept: 'application/json' },
      redirect: 'error',
      signal: AbortSignal.timeout(FETCH_TIMEOUT_MS),
    })
    if (!response.ok) throw new Error(`The key set answered ${response.status}.`)
    return keySet.parse(await response.json())
  }
}
