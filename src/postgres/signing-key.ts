import { z } from 'zod'
import type { SigningKey, SigningKeyRepository } from '../domain/signing-key.ts'
import { Columns, from } from './columns.ts'
import { allRows, type Db } from './db.ts'

const jwk = z.looseObject({ kty: z.string() })

const key = new Columns<Omit<SigningKey, 'jwk'> & { readonly jwk: SigningKey['jwk'] | null }>(
  'Jwks',
  '',
  { kid: from('id', String), jwk: from('publicKey', parse), alg: 'same', expiresAt: 'same' },
)

export function createSigningKeyRepository(db: Db): SigningKeyRepository {
  return {
    findAll: async () =>
      (await allRows(db, key)).flatMap(({ jwk, ...rest }) => (jwk ? [{ ...rest, jwk }] : [])),
  }
}

function parse(stored: string | null): SigningKey['jwk'] | null {
  try {
    return jwk.parse(JSON.parse(stored ?? ''))
  } catch {
    return null
  }
}
