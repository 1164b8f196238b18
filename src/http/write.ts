import type { ExecutionResult } from 'graphql'
import { type FetchAPI, processRegularResult } from 'graphql-yoga'

/** An answer as any server can send it. */
export class Plain {
  readonly body: string
  readonly status: number
  readonly headers: Readonly<Record<string, string>>

  constructor(
    body: string | null,
    init: { readonly status: number; readonly headers: Readonly<Record<string, string>> },
  ) {
    this.body = body ?? ''
    this.status = init.status
    this.headers = init.headers
  }
}

/** Takes the place of the Fetch API, of which Yoga needs no more here. */
const plain = { Response: Plain } as unknown as FetchAPI

/** The result of an operation as an answer. Its errors say which status it has; see `HttpAnswer`. */
export function write(result: ExecutionResult, mediaType = 'application/json'): Plain {
  const asked = result as Parameters<typeof processRegularResult>[0]
  return processRegularResult(asked, plain, mediaType) as unknown as Plain
}
