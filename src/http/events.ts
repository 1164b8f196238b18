import type { ServerResponse } from 'node:http'
import type { ExecutionResult } from 'graphql'
import { requestError } from '../operation/errors.ts'
import { currentScope } from '../scope.ts'
import { collect } from './body.ts'
import {
  acceptsEvents,
  BEAT,
  COMPLETE,
  EVENT_HEADERS,
  type Events,
  eventOf,
  type Heartbeats,
} from './event-stream.ts'
import { type Head, headersOf } from './head.ts'
import { isOne, isPlainJson, type JsonLaneOptions } from './json.ts'
import type { Lane } from './lane.ts'
import { documentNamesIn, NO_JSON, parseBody, parseJson } from './values.ts'
import { send, textOf } from './write.ts'

export interface EventLaneOptions extends Omit<JsonLaneOptions, 'events'> {
  readonly heartbeats: Heartbeats
}

/**
 * The way of requests that are answered with Server-Sent Events: GET, as `EventSource` sends it, or POST with a JSON body.
 * Events are as the protocol GraphQL over SSE has them for distinct connections. Through Yoga, nobody would notice here that
 * a client has gone or does not read; requests of servers of the Fetch API take that way, to `toEventResponse`.
 */
export class EventLane {
  readonly #options: EventLaneOptions

  constructor(options: EventLaneOptions) {
    this.#options = options
  }

  /** Whether a request asks for events in a way that is understood here. */
  takes(head: Head): boolean {
    const { endpoint } = this.#options
    return (
      head.place === endpoint &&
      acceptsEvents(head) &&
      (head.method === 'GET' || (head.method === 'POST' && isPlainJson(head, this.#options)))
    )
  }

  readonly answer: Lane = (arrival) => {
    const { request, response, head, body } = arrival
    const scope = currentScope()
    if (!scope) throw new Error('Events belong to a request.')
    const { answer, largestBodyBytes, mostValues, otherwise, tell } = this.#options
    const json = jsonIn(head.header('accept'))
    const sendOnce = (result: ExecutionResult) =>
      json === undefined ? sendEvent(response, result) : send(response, result, json)
    const refuse = (error: unknown) => sendOnce(tell(scope, [error]))
    const answerTo = (read: () => unknown, onMany = (_sent: unknown) => {}) => {
      let sent: unknown
      try {
        sent = read()
      } catch (error) {
        return refuse(error)
      }
      if (!isOne(sent)) return onMany(sent)
      scope.takesEvents = true
      void answer(sent, headersOf(request), scope).then((result) =>
        Symbol.asyncIterator in result ? this.#sendAll(response, result) : sendOnce(result),
      )
    }
    if (head.method === 'GET') return answerTo(() => parametersOf(head, mostValues))
    const onBody = (read: Buffer) =>
      answerTo(
        () => parseBody(read.toString('utf8'), mostValues),
        () => otherwise({ ...arrival, body: read }),
      )
    if (body) return onBody(body)
    collect(request, { most: largestBodyBytes, onBody, onTooMuch: () => refuse(tooLong()) })
  }

  async #sendAll(response: ServerResponse, events: Events): Promise<void> {
    // It may have been answered already because its deadline had passed.
    if (response.headersSent || response.destroyed) return void events.return?.()
    response.writeHead(200, EVENT_HEADERS)
    // Some browsers hand nothing on before something has come.
    response.write(BEAT)
    const { heartbeats } = this.#options
    const reader = {
      isBehind: () => response.writableNeedDrain,
      beat: () => void response.write(BEAT),
      cut: () => void response.destroy(),
    }
    heartbeats.add(reader)
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
      heartbeats.remove(reader)
    }
  }
}

/** What is answered once, to whoever takes nothing but events. */
function sendEvent(response: ServerResponse, result: ExecutionResult): void {
  if (response.headersSent) return
  const { body, status, headers } = textOf(result)
  response.writeHead(status, { ...headers, ...EVENT_HEADERS })
  response.end(`${eventOf(body)}${COMPLETE}`)
}

const JSON_TYPES = ['application/graphql-response+json', 'application/json']

/** In which form of JSON whoever takes events would rather have what is answered once; `undefined`: in none. */
function jsonIn(accept = ''): string | undefined {
  const taken = accept.split(',').map((type) => type.replace(/;.*/, '').trim().toLowerCase())
  const found = taken.find((type) => JSON_TYPES.includes(type))
  return found ?? (taken.includes('*/*') ? 'application/json' : undefined)
}

function tooLong() {
  const http = { status: 413, headers: { connection: 'close' } }
  return requestError('LIMIT_EXCEEDED', 'The body of the request is too long.', http)
}

/** @throws GraphQLError BAD_REQUEST or LIMIT_EXCEEDED */
function parametersOf({ target }: Head, mostValues: number): object {
  const fields = new URLSearchParams(target.slice(target.indexOf('?') + 1 || target.length))
  const text = (name: string) => fields.get(name) ?? undefined
  const json = (name: string) => {
    const given = fields.get(name)
    return given ? parseJson(given, mostValues, NO_JSON) : undefined
  }
  return {
    ...documentNamesIn(fields),
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
