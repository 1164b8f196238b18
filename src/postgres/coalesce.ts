import { AsyncResource } from 'node:async_hooks'
import { GatewayError } from '../domain/errors.ts'

/** A way to load many keys with one statement, and how to give each asker the part of the answer that is theirs. */
export interface Joint<Key, Options extends readonly unknown[], Answer> {
  readonly load: (keys: readonly Key[], ...options: Options) => Promise<Answer>
  /** Keys with the same text are the same question. */
  readonly textOf: (key: Key) => string
  /** Called once with the answer to all; what it returns is called once for each asker. */
  readonly split: (answer: Answer, keys: readonly Key[]) => (own: readonly Key[]) => Answer
  /** Rows that a key may bring. 1 when absent. */
  readonly weigh?: (key: Key, ...options: Options) => number
}

/** Told how many askers were spared a statement of their own. */
export type OnJoined = (count: number) => void

interface Call<Key, Answer> {
  readonly keys: readonly Key[]
  readonly weight: number
  /** What runs in its scope is the asker's own, so that it ends with the asker. */
  readonly asker: AsyncResource
  readonly resolve: (answer: Answer) => void
  readonly reject: (error: unknown) => void
}

/** Rows that one statement may bring for several askers. One asker's own keys are never divided. */
const MOST_ROWS = 2000

/**
 * Joins the loads of concurrent requests: those with equal options that are asked for in one turn of the event loop
 * become one statement. It is no cache: each statement begins after all its askers have asked, and its answer is gone
 * with them. A statement that the database refuses is divided until only the asker whose key is at fault is told; one
 * that takes too long, or a database that is away, is told to its askers and to nobody else. What several wait for goes on
 * when one of them no longer does.
 */
export function coalesce<Key, Options extends readonly unknown[], Answer>(
  joint: Joint<Key, Options, Answer>,
  onJoined: OnJoined = () => {},
): (keys: readonly Key[], ...options: Options) => Promise<Answer> {
  let waiting: Map<string, { options: Options; calls: Call<Key, Answer>[] }> = new Map()
  // Bound to where this was made, which is no request: else it would be the work of whoever asked first.
  const flush = AsyncResource.bind(() => {
    const batches = waiting
    // Not cleared: the table of a cleared Map refers to the next one, and whole answers would outlive their requests.
    waiting = new Map()
    for (const { options, calls } of batches.values())
      for (const chunk of chunksOf(calls)) {
        if (chunk.length > 1) onJoined(chunk.length - 1)
        void answer(joint, options, chunk)
      }
  })
  return (keys, ...options) => {
    const weigh = joint.weigh ?? (() => 1)
    const weight = keys.reduce((sum, key) => sum + weigh(key, ...options), 0)
    return new Promise((resolve, reject) => {
      if (waiting.size === 0) setImmediate(flush)
      const same = options.length === 0 ? '' : JSON.stringify(options)
      const batch = waiting.get(same) ?? { options, calls: [] }
      waiting.set(same, batch)
      batch.calls.push({ keys, weight, asker: new AsyncResource('Coalesced'), resolve, reject })
    })
  }
}

function chunksOf<Key, Answer>(calls: readonly Call<Key, Answer>[]): Call<Key, Answer>[][] {
  const chunks: Call<Key, Answer>[][] = []
  let room = 0
  for (const call of calls) {
    if (chunks.length === 0 || call.weight > room) {
      chunks.push([])
      room = MOST_ROWS
    }
    chunks.at(-1)?.push(call)
    room -= call.weight
  }
  return chunks
}

async function answer<Key, Options extends readonly unknown[], Answer>(
  joint: Joint<Key, Options, Answer>,
  options: Options,
  calls: readonly Call<Key, Answer>[],
): Promise<void> {
  try {
    const [only] = calls
    if (only && calls.length === 1)
      return only.resolve(await only.asker.runInAsyncScope(() => joint.load(only.keys, ...options)))
    const keys = distinct(joint, calls)
    const partOf = joint.split(await joint.load(keys, ...options), keys)
    for (const call of calls) call.resolve(partOf(call.keys))
  } catch (error) {
    if (calls.length === 1 || !isAboutData(error)) for (const call of calls) call.reject(error)
    else {
      const middle = calls.length >> 1
      void answer(joint, options, calls.slice(0, middle))
      void answer(joint, options, calls.slice(middle))
    }
  }
}

function distinct<Key, Options extends readonly unknown[], Answer>(
  { textOf }: Joint<Key, Options, Answer>,
  calls: readonly Call<Key, Answer>[],
): readonly Key[] {
  const keys = new Map<string, Key>()
  for (const call of calls) for (const key of call.keys) keys.set(textOf(key), key)
  return [...keys.values()]
}

function isAboutData(error: unknown): boolean {
  return !(error instanceof GatewayError) || error.code === 'INTERNAL'
}
