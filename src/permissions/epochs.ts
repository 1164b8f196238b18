import type { Epochs } from './cache.ts'

/** Two unknowns count as equal. */
export function sameEpochs(one: Epochs | undefined, other: Epochs | undefined): boolean {
  return one?.organization === other?.organization && one?.user === other?.user
}
