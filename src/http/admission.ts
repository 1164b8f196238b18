import { GatewayError } from '../domain/errors.ts'
import type { Exchange } from './exchange.ts'

/** How many operations may be under way at once. More are refused at once: a queue without end helps nobody. */
export class Admission {
  readonly #most: number
  readonly #onShed: () => void
  #underWay = 0

  constructor(most: number, onShed: () => void) {
    this.#most = most
    this.#onShed = onShed
  }

  get underWay(): number {
    return this.#underWay
  }

  /** @throws GatewayError UNAVAILABLE when there is no room. */
  enter(exchange: Exchange): void {
    if (this.#underWay >= this.#most) {
      exchange.shed = true
      this.#onShed()
      throw new GatewayError('UNAVAILABLE', 'Too many requests are under way: try again soon.')
    }
    this.#underWay++
    exchange.admitted++
  }

  /** At the end of an operation; an exchange that ends leaves with all it still has. */
  leave(exchange: Exchange, operations = 1): void {
    const leaving = Math.min(operations, exchange.admitted)
    exchange.admitted -= leaving
    this.#underWay -= leaving
  }
}
