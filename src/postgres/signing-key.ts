import { z } from 'zod'
import type { SigningKey, SigningKeyRepository } from '../domain/signing-key.ts'
import type { Database } from './client.ts'
import type { Tables } from './tables.ts'

export class PrismaSigningKeyRepository implements SigningKeyRepository {
  readonly #keys: Database['models']['jwks']
  readonly #select: Readonly<Record<string, true>>

  constructor({ models }: Database, tables: Tables) {
    this.#keys = models.jwks
    this.#select = Object.fromEntries(
      tables.present('Jwks', ['id', 'publicKey', 'alg', 'expiresAt']).map((field) => [field, true]),
    )
  }

  async findAll(): Promise<readonly SigningKey[]> {
    const rows = await this.#keys.findMany({ select: this.#select })
    return rows.flatMap((row) => toSigningKey(row) ?? [])
  }
}

const jwk = z.looseObject({ kty: z.string() })

function toSigningKey(row: Readonly<Record<string, unknown>>): SigningKey | null {
  const {
    id,
    publicKey,
    alg = null,
    expiresAt = null,
  } = row as {
    id: string
    publicKey: string
    alg?: string | null
    expiresAt?: Date | null
  }
  try {
    return { kid: id, jwk: jwk.parse(JSON.parse(publicKey)), alg, expiresAt }
  } catch {
    return null
  }
}
