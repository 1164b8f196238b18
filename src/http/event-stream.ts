import type { ExecutionResult } from 'graphql'
import type { Head } from './head.ts'
import { textOf } from './write.ts'

/** Whether events can be sent to whoever sent this. */
export function acceptsEvents({ header }: Pick<Head, 'header'>): boolean {
  return /\btext\/event-stream\b/i.test(header('accept') ?? '')
}

/** Results one after the other. Whoever takes no more of them returns it. */
export type Events = AsyncIterableIterator<ExecutionResult, undefined>

export const EVENT_HEADERS = {
  'content-type': 'text/event-stream; charset=utf-8',
  // As all answers have it, and not to be compressed on the way, where it would be collected first.
  'cache-control': 'no-store, no-transform',
  // nginx keeps back what it forwards otherwise, until there is enough of it.
  'x-accel-buffering': 'no',
}
/** A comment, which clients pass over. */
export const BEAT = ':\n\n'
export const COMPLETE = 'event: complete\ndata:\n\n'

export function eventOf(json: string): string {
  return `event: next\ndata: ${json}\n\n`
}

/** Somebody who is sent events. */
export interface Reader {
  /** Whether something waits that was sent to them. */
  isBehind(): boolean
  beat(): void
  cut(): void
}

/** Shorter than what balancers and this server itself take for the silence of a connection that is dead. */
const BEAT_MS = 12_000

/** Writes something to every stream now and then, and cuts off those that have read nothing since the last time. */
export class Heartbeats {
  /** With whether they were behind the last time. */
  readonly #readers = new Map<Reader, boolean>()
  #timer: NodeJS.Timeout | undefined

  get count(): number {
    return this.#readers.size
  }

  add(reader: Reader): void {
    this.#readers.set(reader, false)
    this.#timer ??= setInterval(this.#beat, BEAT_MS).unref()
  }

  remove(reader: Reader): void {
    this.#readers.delete(reader)
    if (this.#readers.size > 0) return
    clearInterval(this.#timer)
    this.#timer = undefined
  }

  readonly #beat = (): void => {
    for (const [reader, wasBehind] of this.#readers) {
      const isBehind = reader.isBehind()
      this.#readers.set(reader, isBehind)
      if (isBehind && wasBehind) reader.cut()
      else if (!isBehind) reader.beat()
    }
  }
}

/** For servers of the Fetch API. An event is read when there is room for it, and no more of them when the body is cancelled. */
export function toEventResponse(events: Events, heartbeats: Heartbeats): Response {
  const encoder = new TextEncoder()
  let reader: Reader | undefined
  const end = () => {
    if (reader) heartbeats.remove(reader)
    return events.return?.()
  }
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      const send = (text: string) => controller.enqueue(encoder.encode(text))
      reader = {
        isBehind: () => (controller.desiredSize ?? 0) <= 0,
        beat: () => send(BEAT),
        cut: () => {
          void end()
          controller.error(new Error('It was not read.'))
        },
      }
      heartbeats.add(reader)
      send(BEAT)
    },
    async pull(controller) {
      try {
        const { value } = await events.next()
        const text = value ? eventOf(textOf(value).body) : COMPLETE
        controller.enqueue(encoder.encode(text))
        if (value) return
        controller.close()
        await end()
      } catch (error) {
        await end()
        throw error
      }
    },
    async cancel() {
      await end()
    },
  })
  return new Response(body, { headers: EVENT_HEADERS })
}
