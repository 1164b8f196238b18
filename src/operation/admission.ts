import { setTimeout as sleep } from 'node:timers/promises'
import { type Caller, kindOf, partOf, shareOf } from '../domain/caller.ts'
import { GatewayError } from '../domain/errors.ts'
import { FairQueue, type Place } from '../domain/fair-queue.ts'
import type { Budget, RateLimit } from '../domain/rate.ts'
import { type RequestScope, waitFor } from '../scope.ts'
import { overBudget, rateLimited } from './errors.ts'

export interface AdmissionOptions {
  /** Operations under way at once. */
  readonly most: number
  /** `null`: any number of operations. */
  readonly rate: RateLimit | null
  readonly budget: Budget
  /** Whether whoever has this share has to read answers first that wait for them. */
  readonly mayNotAsk: (share: string) => boolean
  /** Told of each operation that is refused for want of room. */
  readonly onShed: () => void
}

/** Points of the operations that are being executed, beyond which further ones wait: enough to keep a process busy. */
const MOST_RUNNING = 20_000
/**
 * What costs more is heavy, of whoever has a budget: it waits among its like, so that what costs little, and what trusted
 * services ask, waits for none of it.
 */
const HEAVY = 900
/** As MOST_RUNNING, of what is heavy: what costs more than that runs while nothing else that is heavy does. */
const MOST_HEAVY = 2000
/** Points that wait in each queue, beyond which the dearest are refused. */
const MOST_WAITING = 500_000
/** Whoever has spent what they may is told so after this long, or up to three times as long. */
const REFUSED_AFTER_MS = 1000
const UNREAD = 'Read the answers first that are on their way to you.'
const FULL = 'Too much is under way: try again soon.'

/**
 * How much is let in: of all, so that what is under way can be answered in time, and of each caller, so that one of them
 * leaves room for others. What there is no room for is refused at once, because a queue without end helps nobody.
 */
export class Admission {
  readonly #options: AdmissionOptions
  readonly #light = queueOf(MOST_RUNNING)
  readonly #heavy = queueOf(MOST_HEAVY)
  #underWay = 0

  constructor(options: AdmissionOptions) {
    this.#options = options
  }

  get underWay(): number {
    return this.#underWay
  }

  /** Whether something is being executed that is not heavy. */
  get isServingLight(): boolean {
    return this.#light.isInUse
  }

  /** Then `leave` follows. @throws GatewayError UNAVAILABLE when there is no room for one more operation. */
  enter(scope: RequestScope): void {
    // Whoever waits for most makes room for somebody who is not known yet.
    if (this.#underWay >= this.#options.most && !this.#heavy.shed() && !this.#light.shed()) {
      this.#shed(scope)
      throw new GatewayError('UNAVAILABLE', FULL)
    }
    this.#count(scope)
  }

  #count(scope: RequestScope): void {
    this.#underWay++
    scope.admitted++
  }

  /** At the end of an operation; a request that ends leaves with all it still has. */
  leave(scope: RequestScope, operations = 1): void {
    const leaving = Math.min(operations, scope.admitted)
    scope.admitted -= leaving
    this.#underWay -= leaving
  }

  /**
   * Before an operation is executed that costs so many points: counts it as its caller's, and waits for its turn among
   * callers. It gives its place back when it has ended.
   * @throws GraphQLError RATE_LIMITED, GatewayError UNAVAILABLE or TIMEOUT
   */
  async admit(scope: RequestScope, caller: Caller, points: number): Promise<Place> {
    const { rate, budget, mayNotAsk } = this.#options
    scope.caller = kindOf(caller)
    scope.share = shareOf(caller) ?? scope.share
    if (mayNotAsk(scope.share)) throw new GatewayError('UNAVAILABLE', UNREAD)
    const wait = rate && !scope.isEvent ? await rate.ofCaller(caller) : null
    if (wait !== null) {
      await this.#holdBack(scope)
      throw rateLimited(wait)
    }
    scope.budget = budget.spend(caller, scope.share, points)
    if (scope.budget && scope.budget.refusedFor !== null) {
      await this.#holdBack(scope)
      throw overBudget(scope.budget, points)
    }
    scope.isHeavy = scope.budget !== null && scope.cost > HEAVY
    const place = (scope.isHeavy ? this.#heavy : this.#light).enter(scope.share, points)
    try {
      if (place.ready) await waitFor(place.ready)
    } catch (error) {
      place.leave()
      this.#shed(scope)
      throw error
    }
    return place
  }

  /**
   * Before somebody is told to wait: whoever asks again at once all the same, on many connections, keeps the process busy
   * with refusals otherwise. No two are held back for as long, so that what came together does not come together again.
   * Nothing is under way meanwhile, and whoever has less time left is told all the same. Events are tried again by this
   * process, which waits by itself.
   */
  async #holdBack(scope: RequestScope): Promise<void> {
    if (scope.isEvent) return
    this.leave(scope)
    await waitFor(sleep(REFUSED_AFTER_MS * (1 + 2 * Math.random()))).catch(() => {})
    this.#count(scope)
  }

  #shed(scope: RequestScope): void {
    scope.shed = true
    this.#options.onShed()
  }
}

function queueOf(capacity: number): FairQueue {
  return new FairQueue({ capacity, partOf, mostWaiting: MOST_WAITING, full: FULL })
}
