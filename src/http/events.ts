import type { ServerResponse } from 'node:http'
import type { ExecutionResult } from 'graphql'
import { badRequest } from '../operation/errors.ts'
import { documentNames } from '../operation/trusted.ts'
import { currentScope } from '../scope.ts'
import { collect } from './body.ts'
import type { Head } from './head.ts'
import { isJsonOfKnownForm, type JsonLaneOptions } from './json.ts'
import type { Lane } from './lane.ts'
import { checkValues, parseBody } from './values.ts'
import { textOf } from './write.ts'

type Events = AsyncIterableIterator<ExecutionResult, undefined>

/**
 * The way of requests that are answered with Server-Sent Events: GET, as `EventSource` sends it, or POST with a JSON body.
 * Events are as the protocol GraphQL over SSE has them for distinct connections. Yoga does the same for servers of the
 * Fetch API; here, it would not notice that a client has gone or does not read.
 */
export class EventLane {
  readonly #options: Omit<JsonLaneOptions, 'events' | 'otherwise'>
  readonly #heartbeats = new Heartbeats()

  constructor(options: Omit<JsonLaneOptions, 'events' | 'otherwise'>) {
    this.#options = options
  }

  /** Whether a request asks for events in a way that is understood here. */
  takes(head: Head): boolean {
    const { endpoint } = this.#options
    return (
      head.place === endpoint &&
      /\btext\/event-stream\b/i.test(head.header('accept') ?? '') &&
      (head.method === 'GET' || (head.method === 'POST' && isJsonOfKnownForm(head, this.#options)))
    )
  }

  readonly answer: Lane = ({ request, response, head, body }) => {
    const scope = currentScope()
    if (!scope) throw new Error('Events belong to a request.')
    const { answer, mostValues, tell } = this.#options
    const refuse = (error: unknown) => this.#sendOnce(response, tell(scope, [error]))
    const answerTo = (read: () => unknown) => {
      let sent: unknown
      try {
        sent = read()
      } catch (error) {
        return refuse(error)
      }
      scope.takesEvents = true
      const headers = { get: (name: string) => request.headers[name]?.toString() ?? null }
      void answer(sent, headers, scope).then((result) =>
        Symbol.asyncIterator in result
          ? this.#sendAll(response, result)
          : this.#sendOnce(response, result),
      )
    }
    if (head.method === 'GET') answerTo(() => parametersOf(head, mostValues))
    else {
      const onBody = (read: Buffer) => answerTo(() => parseBody(read.toString('utf8'), mostValues))
      if (body) onBody(body)
      else collect(request, { most: Number.POSITIVE_INFINITY, onBody, onTooMuch: () => {} })
    }
  }

  #sendOnce(response: ServerResponse, result: ExecutionResult): void {
    if (response.headersSent) return
    const { body, status, headers } = textOf(result)
    response.writeHead(status, { ...headers, ...HEADERS })
    response.end(`${eventOf(body)}${COMPLETE}`)
  }

  async #sendAll(response: ServerResponse, events: Events): Promise<void> {
    response.writeHead(200, HEADERS)
    // Some browsers hand nothing on before something has come.
    response.write(BEAT)
    this.#heartbeats.add(response)
    try {
      for await (const result of events) {
        const isRead = response.write(eventOf(textOf(result).body))
        if (!isRead) await readOrClosed(response)
      }
      response.end(COMPLETE)
    } catch {
      // Without the event that completes, clients open another.
      response.destroy()
    } finally {
      this.#heartbeats.remove(response)
    }
  }
}

const HEADERS = {
  'content-type': 'text/event-stream; charset=utf-8',
  'cache-control': 'no-cache, no-transform',
  // nginx keeps back what it forwards otherwise, until there is enough of it.
  'x-accel-buffering': 'no',
}
const BEAT = ':\n\n'
const COMPLETE = 'event: complete\ndata:\n\n'

function eventOf(json: string): string {
  return `event: next\ndata: ${json}\n\n`
}

/** @throws GraphQLError BAD_REQUEST or LIMIT_EXCEEDED */
function parametersOf({ target }: Head, mostValues: number): object {
  const fields = new URLSearchParams(target.slice(target.indexOf('?') + 1 || target.length))
  const text = (name: string) => fields.get(name) ?? undefined
  const json = (name: string) => {
    const given = fields.get(name)
    if (!given) return undefined
    checkValues(given, mostValues)
    try {
      return JSON.parse(given)
    } catch {
      throw badRequest(400, 'The parameters are not valid JSON.')
    }
  }
  return {
    ...Object.fromEntries(documentNames.map((name) => [name, text(name)])),
    query: text('query'),
    operationName: text('operationName'),
    variables: json('variables'),
    extensions: json('extensions'),
  }
}

function readOrClosed(response: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      response.off('drain', done)
      response.off('close', done)
      resolve()
    }
    if (response.destroyed) return resolve()
    response.on('drain', done)
    response.on('close', done)
  })
}

/** Shorter than what balancers and this server itself take for the silence of a connection that is dead. */
const BEAT_MS = 12_000

/** Writes something to every stream now and then, and cuts off those that have read nothing since the last time. */
class Heartbeats {
  /** With whether its reader was behind the last time. */
  readonly #responses = new Map<ServerResponse, boolean>()
  #timer: NodeJS.Timeout | undefined

  add(response: ServerResponse): void {
    this.#responses.set(response, false)
    this.#timer ??= setInterval(this.#beat, BEAT_MS).unref()
  }

  remove(response: ServerResponse): void {
    this.#responses.delete(response)
    if (this.#responses.size > 0) return
    clearInterval(this.#timer)
    this.#timer = undefined
  }

  readonly #beat = (): void => {
    for (const [response, wasBehind] of this.#responses) {
      const isBehind = response.writableNeedDrain
      if (isBehind && wasBehind) response.destroy()
      else if (!isBehind) response.write(BEAT)
      this.#responses.set(response, isBehind)
    }
  }
}
