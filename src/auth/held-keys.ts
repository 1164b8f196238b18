import { createLocalJWKSet, errors, type JWK, type JWTVerifyGetKey } from 'jose'
import { GatewayError } from '../domain/errors.ts'
import type { KeySet } from './jwt.ts'
import { type KeySource, NoKeys } from './key-source.ts'
import { refused } from './refused.ts'
import { findWeakness } from './weak-keys.ts'

/** How long keys are held: a key that Better Auth withdraws stops verifying after at most this. */
const MAX_AGE_MS = 60_000
/** The shortest time between two reads of the source, so that made-up key ids cannot hammer it. */
const COOL_DOWN_MS = 1_000
/** The same after a failed read while older keys are at hand, so that a hanging source does not hold up requests. */
const COOL_DOWN_AFTER_FAILURE_MS = 10_000

interface HeldKeysOptions {
  /** Told why there are no keys or new ones cannot be had: once, and again when it is for another reason. */
  readonly onTrouble: (error: Error) => void
  /** Told when they can be had again. */
  readonly onBack: () => void
}

/**
 * Keys of one issuer, held in memory. An unknown `kid` makes them be read again, not more often than the cool-down
 * allows. When the source fails, the last known keys go on; with none yet, verifying is UNAVAILABLE. Weak ones are not used.
 */
export class HeldKeys implements KeySet {
  readonly #source: KeySource
  readonly #options: HeldKeysOptions
  #getKey: JWTVerifyGetKey | null = null
  #keys: { readonly text: string; readonly weak: readonly unknown[] } | null = null
  #readAt = Number.NEGATIVE_INFINITY
  #nextReadAt = Number.NEGATIVE_INFINITY
  #reading: Promise<void> | null = null
  #trouble: string | null = null

  constructor(source: KeySource, options: HeldKeysOptions) {
    this.#source = source
    this.#options = options
  }

  /** How long ago the keys were read; absent before the first time. In milliseconds. */
  get ageMs(): number | undefined {
    return this.#getKey ? performance.now() - this.#readAt : undefined
  }

  /** The key function for jose's `jwtVerify`. */
  readonly getKey: JWTVerifyGetKey = async (header, token) => {
    if (performance.now() - this.#readAt > MAX_AGE_MS) await this.read()
    try {
      return await this.#current(header.kid)(header, token)
    } catch (error) {
      if (!(error instanceof errors.JWKSNoMatchingKey)) throw error
      await this.read()
      return this.#current(header.kid)(header, token)
    }
  }

  /**
   * Stands for the key set as long as it stays the same; `null` when it is due to be read again. What was verified under
   * one would be verified again under the same.
   */
  readonly held = (): object | null =>
    performance.now() - this.#readAt > MAX_AGE_MS ? null : this.#keys

  #current(kid: string | undefined): JWTVerifyGetKey {
    if (kid !== undefined && this.#keys?.weak.includes(kid)) throw refused('weak key')
    if (!this.#getKey) throw new GatewayError('UNAVAILABLE', 'The signing keys cannot be read.')
    return this.#getKey
  }

  /** Unless they were read just now. Never rejects. */
  async read(): Promise<void> {
    if (this.#reading) return this.#reading
    if (performance.now() < this.#nextReadAt) return
    this.#reading = this.#replace().finally(() => {
      this.#reading = null
    })
    return this.#reading
  }

  async #replace(): Promise<void> {
    let coolDown = COOL_DOWN_MS
    try {
      const keys = await this.#source()
      const text = JSON.stringify(keys)
      // Keys that did not change keep what jose has made of them.
      if (text !== this.#keys?.text) {
        const isWeak = (key: JWK) => findWeakness(key) !== null
        this.#getKey = createLocalJWKSet({ keys: keys.keys.filter((key) => !isWeak(key)) })
        this.#keys = { text, weak: keys.keys.filter(isWeak).map(({ kid }) => kid) }
      }
      this.#readAt = performance.now()
      this.#tell(keys.lack === null ? null : new NoKeys(keys.lack))
    } catch (error) {
      if (this.#getKey) coolDown = COOL_DOWN_AFTER_FAILURE_MS
      this.#tell(error instanceof Error ? error : new Error('Unknown.', { cause: error }))
    }
    this.#nextReadAt = performance.now() + coolDown
  }

  #tell(trouble: Error | null): void {
    const { onTrouble, onBack } = this.#options
    if (trouble && trouble.message !== this.#trouble) onTrouble(trouble)
    if (!trouble && this.#trouble !== null) onBack()
    this.#trouble = trouble?.message ?? null
  }
}
