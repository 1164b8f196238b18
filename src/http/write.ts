import type { ServerResponse } from 'node:http'
import type { ExecutionResult } from 'graphql'
import { type FetchAPI, processRegularResult } from 'graphql-yoga'
import { withoutStacks } from '../operation/without-stacks.ts'

const JSON_TYPE = 'application/json'

/**
 * Sends the result of an operation, unless its request was answered already because its deadline had passed. Its errors
 * say which status it has; see `HttpAnswer`.
 */
export function send(
  response: ServerResponse,
  result: ExecutionResult,
  mediaType = JSON_TYPE,
): void {
  if (response.headersSent) return
  const { body, status, headers } = textOf(result, mediaType)
  response.writeHead(status, { ...headers, 'content-length': Buffer.byteLength(body) }).end(body)
}

/** What is sent of a result: its text, and how it is answered over HTTP. */
export function textOf(result: ExecutionResult, mediaType = JSON_TYPE): Plain {
  return processed(result, plain, mediaType) as unknown as Plain
}

export function toResponse(result: ExecutionResult): Response {
  return processed(result, { Response } as FetchAPI, JSON_TYPE)
}

/** Yoga makes each error anew, to leave out what is no business of clients. */
function processed(result: ExecutionResult, fetchApi: FetchAPI, mediaType: string): Response {
  return withoutStacks(() => processRegularResult(result as Result, fetchApi, mediaType))
}

/** The same response. `onEnd` is told once its body has been read, or is read no further. */
export function toldAtEnd(response: Response, onEnd: () => void): Response {
  const reader = response.body?.getReader()
  const body = new ReadableStream<Uint8Array>({
    async pull(controller) {
      try {
        const { value } = (await reader?.read()) ?? {}
        if (value) return controller.enqueue(value)
        controller.close()
        onEnd()
      } catch (error) {
        onEnd()
        throw error
      }
    },
    async cancel(reason) {
      await reader?.cancel(reason)
      onEnd()
    },
  })
  return new Response(body, response)
}

type Result = Parameters<typeof processRegularResult>[0]

class Plain {
  readonly body: string
  readonly status: number
  readonly headers: Readonly<Record<string, string>>

  constructor(body: string, { status, headers }: Pick<Plain, 'status' | 'headers'>) {
    this.body = body
    this.status = status
    this.headers = headers
  }
}

/** Takes the place of the Fetch API, of which Yoga needs no more here. */
const plain = { Response: Plain } as unknown as FetchAPI
