import type { Caller } from './caller.ts'

/** Counts requests. Both answer `null`, or for how many seconds the next ones are refused. */
export interface RateLimit {
  /** Before anything is read of a request. */
  ofAddress(from: RequestOrigin): Promise<number | null>
  /** Once the credential has been verified; services are counted by address alone. */
  ofCaller(caller: Caller): Promise<number | null>
}

/** Where a request came from, as far as the connection and proxies say. */
export interface RequestOrigin {
  /** The other end of the connection; absent where there is none. */
  readonly remoteAddress: string | undefined
  /** The header in which proxies write whom they were called by: X-Forwarded-For or another. */
  readonly forwardedFor: string | null | undefined
}
