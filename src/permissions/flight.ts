import type { Consistency, Grant } from '../domain/permission.ts'
import { type Epochs, sameEpochs } from './cache.ts'

/** A read of the database under way, or read and on its way into the cache. */
export interface Flight {
  /** Counts flights in the order they began. */
  readonly number: number
  readonly epochs: Epochs | undefined
  readonly grant: Promise<Grant>
}

export interface Question {
  /** The number of the last flight that had begun when it was asked. */
  readonly asked: number
  readonly consistency: Consistency
  readonly epochs: Epochs | undefined
}

/** Any question may join a flight that began after it; a CACHED one also an earlier flight that no event overtook. */
export function canJoin(flight: Flight, { asked, consistency, epochs }: Question): boolean {
  return flight.number > asked || (consistency === 'CACHED' && sameEpochs(flight.epochs, epochs))
}
