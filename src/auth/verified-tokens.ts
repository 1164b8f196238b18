import { hash } from 'node:crypto'
import { LRUCache } from 'lru-cache'
import type { Caller } from '../domain/caller.ts'

/** Tokens that one process remembers; the one not seen for longest makes room. */
const MOST = 10_000

export interface VerifiedToken {
  readonly caller: Caller
  /** Seconds since the epoch: the token's `exp`. */
  readonly expiresAt: number
  /** The key set that it was verified with; see `KeySet.held`. */
  readonly keys: object
  /** The key set of its issuer as it is held now. */
  readonly held: () => object | null
}

/**
 * Tokens whose every byte was verified already, so that the signature, which costs more than the query it comes with,
 * is not checked again with each request. A token is good for as long as checking it again would find it good: until
 * `exp`, and while the very keys it was verified with are held. Tokens themselves are not kept, only their hashes.
 */
export class VerifiedTokens {
  readonly #known = new LRUCache<string, VerifiedToken>({ max: MOST })

  find(token: string): Caller | null {
    const key = keyOf(token)
    const known = this.#known.get(key)
    if (!known) return null
    if (known.expiresAt > Math.floor(Date.now() / 1000) && known.held() === known.keys)
      return known.caller
    this.#known.delete(key)
    return null
  }

  remember(token: string, verified: VerifiedToken): void {
    this.#known.set(keyOf(token), verified)
  }

  get size(): number {
    return this.#known.size
  }
}

function keyOf(token: string): string {
  return hash('sha256', token, 'base64')
}
