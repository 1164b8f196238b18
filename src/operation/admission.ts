import type { RequestScope } from '../scope.ts'

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

  /** Whether there is room for one more; then `leave` follows. */
  enter(scope: RequestScope): boolean {
    if (this.#underWay >= this.#most) {
      scope.shed = true
      this.#onShed()
      return false
    }
    this.#underWay++
    scope.admitted++
    return true
  }

  /** At the end of an operation; a request that ends leaves with all it still has. */
  leave(scope: RequestScope, operations = 1): void {
    const leaving = Math.min(operations, scope.admitted)
    scope.admitted -= leaving
    this.#underWay -= leaving
  }
}
