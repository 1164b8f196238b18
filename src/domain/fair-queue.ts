import { GatewayError } from './errors.ts'

export interface FairQueueOptions {
  /** What may run at once. What is more than that runs alone. */
  readonly capacity: number
  /** What may run at once for one owner, as a part of all: what is left is for others, also while nobody else is there. */
  readonly partOf: (owner: string) => number
  /** Of everything that waits; beyond it, somebody is refused. */
  readonly mostWaiting: number
  /** What whoever is refused is told, with UNAVAILABLE. */
  readonly full: string
}

/** One owner has so many of what there is few of, so that not all of theirs waits when one takes long. */
const FEWEST = 2

/** What somebody has of a queue. */
export interface Place {
  /** `null`: it may start at once. Rejects with GatewayError UNAVAILABLE when it is refused for want of room. */
  readonly ready: Promise<void> | null
  /** Gives back what it has, or no longer waits. Further calls do nothing. */
  leave(): void
}

interface Waiting {
  readonly owner: string
  readonly weight: number
  readonly start: () => void
  readonly refuse: (error: GatewayError) => void
}

/**
 * Hands out something that there is little of, such as connections or time of the process, so that nobody waits because
 * somebody else asks for much: of those who wait, the owner who has least of it is next, and of several the one who was
 * not served for the longest. When too much waits, the owner who waits for most is refused their dearest.
 */
export class FairQueue {
  readonly #options: FairQueueOptions
  readonly #running = new Map<string, number>()
  /** By owner; those served last are at the end. */
  readonly #waiting = new Map<string, Waiting[]>()
  #used = 0
  #held = 0
  #count = 0

  constructor(options: FairQueueOptions) {
    this.#options = options
  }

  /** Whether anybody has something of it. */
  get isInUse(): boolean {
    return this.#used > 0
  }

  /** How many wait. */
  get waiting(): number {
    return this.#count
  }

  enter(owner: string, weight = 1): Place {
    const end = once(() => this.#end(owner, weight))
    if (this.#count === 0 && this.#canStart(owner, weight)) {
      this.#start(owner, weight)
      return { ready: null, leave: end }
    }
    let leave = end
    const ready = new Promise<void>((resolve, refuse) => {
      const start = () => {
        leave = end
        resolve()
      }
      const waiting: Waiting = { owner, weight, start, refuse }
      leave = () => this.#remove(waiting)
      this.#add(waiting)
    })
    this.#next()
    while (this.#held > this.#options.mostWaiting && this.shed());
    return { ready, leave: () => leave() }
  }

  /** Of several owners, the one with least that runs or waits. */
  lightest(owners: readonly string[]): string | undefined {
    const weights = owners.map((owner) => [this.#of(owner) + this.#heldBy(owner), owner] as const)
    return weights.toSorted(([one], [other]) => one - other)[0]?.[1]
  }

  #of(owner: string): number {
    return this.#running.get(owner) ?? 0
  }

  #heldBy(owner: string): number {
    return (this.#waiting.get(owner) ?? []).reduce((sum, { weight }) => sum + weight, 0)
  }

  #canStart(owner: string, weight: number): boolean {
    const { capacity, partOf } = this.#options
    const own = this.#of(owner)
    const fits = this.#used === 0 || this.#used + weight <= capacity
    return fits && (own === 0 || own + weight <= Math.max(FEWEST, capacity * partOf(owner)))
  }

  #start(owner: string, weight: number): void {
    this.#used += weight
    this.#running.set(owner, this.#of(owner) + weight)
  }

  #end(owner: string, weight: number): void {
    this.#used -= weight
    const left = this.#of(owner) - weight
    if (left > 0) this.#running.set(owner, left)
    else this.#running.delete(owner)
    this.#next()
  }

  #add(waiting: Waiting): void {
    const { owner, weight } = waiting
    const own = this.#waiting.get(owner)
    if (own) own.push(waiting)
    else this.#waiting.set(owner, [waiting])
    this.#held += weight
    this.#count += 1
  }

  #remove(waiting: Waiting): void {
    const { owner, weight } = waiting
    const own = this.#waiting.get(owner) ?? []
    const at = own.indexOf(waiting)
    if (at === -1) return
    own.splice(at, 1)
    if (own.length === 0) this.#waiting.delete(owner)
    this.#held -= weight
    this.#count -= 1
  }

  #next(): void {
    for (;;) {
      let own: Waiting[] | undefined
      let least = Number.POSITIVE_INFINITY
      for (const [owner, waiting] of this.#waiting) {
        const running = this.#of(owner)
        if (running >= least || !this.#canStart(owner, waiting[0]?.weight ?? 0)) continue
        least = running
        own = waiting
      }
      const first = own?.[0]
      if (!first || !own) return
      this.#remove(first)
      if (own.length > 0) {
        this.#waiting.delete(first.owner)
        this.#waiting.set(first.owner, own)
      }
      this.#start(first.owner, first.weight)
      first.start()
    }
  }

  /** Refuses the dearest of those who wait for most. Answers whether somebody waited. */
  shed(): boolean {
    let most: Waiting | undefined
    let mostHeld = -1
    for (const [owner, own] of this.#waiting) {
      const held = this.#heldBy(owner)
      if (held <= mostHeld) continue
      mostHeld = held
      most = own.reduce((dearest, one) => (one.weight >= dearest.weight ? one : dearest))
    }
    if (!most) return false
    this.#remove(most)
    most.refuse(new GatewayError('UNAVAILABLE', this.#options.full))
    return true
  }
}

function once(work: () => void): () => void {
  let done = false
  return () => {
    if (!done) work()
    done = true
  }
}
