import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Head } from './head.ts'

/** A request of `node:http` as the front hands it on. */
export interface Arrival {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly head: Head
  /** Its body, where it has been read already; `null`: it is still to be read. */
  readonly body: Buffer | null
}

/** Answers a request. */
export type Lane = (arrival: Arrival) => void
