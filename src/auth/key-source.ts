import type { JSONWebKeySet } from 'jose'
import type { SigningKeyRepository } from '../domain/signing-key.ts'

/** Where public keys come from. Rejects when they cannot be had. */
export type KeySource = () => Promise<FoundKeys>

export interface FoundKeys extends JSONWebKeySet {
  /** Why there is no key; `null` where there is one. */
  readonly lack: string | null
}

/** Why there are no keys, in words for the log and for `doctor`. */
export class NoKeys extends Error {}

/** Better Auth keeps a key verifiable for this long after it has expired, to outlast the tokens it signed. */
const GRACE_MS = 30 * 24 * 3600 * 1000

/** The `jwks` table of Better Auth, read as its own `/jwks` endpoint shows it, without a limit on the number of rows. */
export function databaseKeySource(signingKeys: SigningKeyRepository): KeySource {
  return async () => {
    const rows = await signingKeys.findAll()
    const usable = rows.filter((key) => !key.expiresAt || +key.expiresAt + GRACE_MS > Date.now())
    return {
      lack: usable.length === 0 ? EMPTY_TABLE : null,
      keys: usable.map(({ kid, jwk, alg }) => ({
        ...(jwk as JSONWebKeySet['keys'][number]),
        ...(alg === null ? {} : { alg }),
        kid,
      })),
    }
  }
}

const EMPTY_TABLE =
  'The jwks table has no usable key, so no token can be verified: Better Auth makes one when it first signs a token (GET /api/auth/token), and DATABASE_URL must be the database that it writes to.'
