import type { ServerResponse } from 'node:http'
import type { RequestScope } from '../scope.ts'

/** Of one caller. */
const MOST_UNSENT_BYTES = 8 << 20

/** What answers hold in memory because their readers are slow, by whose share they are of. */
export class Unsent {
  readonly #bytes = new Map<string, number>()

  /** Whether a caller has to read first before there is more for them. */
  isFull(share: string): boolean {
    return (this.#bytes.get(share) ?? 0) > MOST_UNSENT_BYTES
  }

  watch(response: ServerResponse, scope: RequestScope): void {
    response.once('prefinish', () => {
      const bytes = response.socket?.writableLength ?? 0
      if (bytes === 0 || response.destroyed) return
      const { share } = scope
      this.#add(share, bytes)
      response.once('close', () => this.#add(share, -bytes))
    })
  }

  #add(share: string, bytes: number): void {
    const sum = (this.#bytes.get(share) ?? 0) + bytes
    if (sum > 0) this.#bytes.set(share, sum)
    else this.#bytes.delete(share)
  }
}
