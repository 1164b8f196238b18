import { GatewayError } from '../domain/errors.ts'

/** Whether a name was used for the first time in so many milliseconds; `undefined`: it cannot be told. */
export type FirstUse = (name: string, forMs: number) => Promise<boolean | undefined>

/** Longer than any gateway takes a proof, also where their clocks differ by a few seconds. */
const REMEMBERED_MS = 90_000
/** Names of that time in one process, some 20 MB: more proofs than a process verifies. */
const MOST = 200_000

/**
 * Tells whether a name was not used before. What gateways have in common decides, where there is something and it answers;
 * else this process, which remembers every name as well. It takes none when it is full: each that it forgot could be used
 * again.
 * @param shared `null`: there is one gateway, or each remembers for itself.
 */
export function createUsedOnce(shared: FirstUse | null, most = MOST) {
  // They take turns: one is filled for as long as names are remembered, and read for as long again.
  let names = new Set<string>()
  let before = new Set<string>()
  let begunAt = performance.now()
  /** @throws GatewayError UNAVAILABLE when nobody could remember it. */
  return async (name: string): Promise<boolean> => {
    const age = performance.now() - begunAt
    if (age > REMEMBERED_MS) {
      before = age > 2 * REMEMBERED_MS ? new Set() : names
      names = new Set()
      begunAt = performance.now()
    }
    if (names.has(name) || before.has(name)) return false
    const hasRoom = names.size < most
    if (hasRoom) names.add(name)
    const isFirst = await shared?.(name, REMEMBERED_MS)
    if (isFirst === undefined && !hasRoom)
      throw new GatewayError('UNAVAILABLE', 'Too many proofs (DPoP) have come.')
    return isFirst ?? true
  }
}
