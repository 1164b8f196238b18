import type { Caller } from './caller.ts'

/** Counts operations. Both answer `null`, or for how many seconds the next ones are refused. */
export interface RateLimit {
  /** Before anything is read of a request. */
  ofAddress(address: string): Promise<number | null>
  /** Once the credential has been verified; services are counted by address alone. */
  ofCaller(caller: Caller): Promise<number | null>
}

/** What callers may spend, in points of cost. */
export interface Budget {
  /** `null`: this caller may spend any number. */
  spend(caller: Caller, share: string, points: number): Spent | null
}

export interface Spent {
  /** For how many seconds this much is refused; `null`: it is spent. */
  readonly refusedFor: number | null
  /** Points that are left. */
  readonly available: number
  readonly perMinute: number
}
