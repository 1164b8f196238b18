import { AsyncResource } from 'node:async_hooks'
import type { Askers } from '../domain/askers.ts'
import { GatewayError } from '../domain/errors.ts'
import type { PageRequest } from '../domain/page.ts'

/** How the answer to what several askers asked together is given to each of them. */
export interface Sharing<Key, Answer> {
  /** Keys with the same text are the same question. */
  readonly textOf: (key: Key) => string
  /** Called once with the answer to all; what it returns is called once for each asker. */
  readonly split: (answer: Answer, keys: readonly Key[]) => (own: readonly Key[]) => Answer
  /** Rows that a key may bring. 1 when absent. */
  readonly weigh?: (key: Key, options: readonly unknown[]) => number
}

/** A load of many keys, with options that all of them have in common. */
export type Load<Key, Options extends readonly unknown[], Answer> = (
  keys: readonly Key[],
  ...options: Options
) => Promise<Answer>

/** Makes a load one that is joined with those of concurrent requests. */
export type Join = <Shared, Key, Options extends readonly unknown[], Answer extends Shared>(
  how: Sharing<Key, Shared>,
  load: Load<Key, Options, Answer>,
) => Load<Key, Options, Answer>

/** Entities that say themselves, in this field, which key they answer. */
export function by<Field extends string>(
  field: Field,
): Sharing<string, readonly { readonly [Name in Field]: string }[]> {
  return byText((entity: { readonly [Name in Field]: string }) => entity[field], String)
}

/** Entities that answer keys with the same text. */
export function byText<Entity, Key>(
  answers: (entity: Entity) => string,
  textOf: (key: Key) => string,
): Sharing<Key, readonly Entity[]> {
  return {
    textOf,
    split: (found) => {
      const byText = new Map<string, Entity[]>()
      for (const entity of found) {
        const text = answers(entity)
        const own = byText.get(text)
        if (own) own.push(entity)
        else byText.set(text, [entity])
      }
      return (keys) => keys.flatMap((key) => byText.get(textOf(key)) ?? [])
    },
  }
}

/** A count for each parent. */
export const counts: Sharing<string, ReadonlyMap<string, unknown>> = {
  textOf: String,
  split: (answer) => (keys) => pick(answer, keys),
}

/** A page for each parent, the request for which is the first of the options. */
export const pages: Sharing<string, ReadonlyMap<string, unknown>> = {
  ...counts,
  weigh: (_id, [page]) => (page as PageRequest).size + 1,
}

/** One answer for each question, in the order of the questions. */
export function inOrder<Question>(
  weigh: (question: Question) => number,
): Sharing<Question, readonly unknown[]> {
  const textOf = (question: Question) => JSON.stringify(question)
  return {
    textOf,
    weigh,
    split: (answers, questions) => {
      const found = new Map(questions.map((question, i) => [textOf(question), answers[i]]))
      return (own) => own.map((question) => found.get(textOf(question)) ?? null)
    },
  }
}

/** Of a map, what it has for these keys. */
export function pick<Value>(
  answer: ReadonlyMap<string, Value>,
  keys: readonly string[],
): ReadonlyMap<string, Value> {
  const own = new Map<string, Value>()
  for (const key of keys) {
    const value = answer.get(key)
    if (value !== undefined) own.set(key, value)
  }
  return own
}

interface Call<Key, Answer> {
  readonly keys: readonly Key[]
  readonly weight: number
  /** Whose share it uses. */
  readonly share: string
  /** What runs in its scope is the asker's own, so that it ends with the asker. */
  readonly asker: AsyncResource
  readonly resolve: (answer: Answer) => void
  readonly reject: (error: unknown) => void
  gone?: unknown
  onGone?: (reason: unknown) => void
}

/** Those who ask, of whom several may share a statement. */
export interface Joining extends Pick<Askers, 'share' | 'whenEnded' | 'runShared'> {
  /** Told how many of them were spared a statement. */
  readonly onJoined: (count: number) => void
  /** Of several shares, the one to ask with for all. */
  readonly lightest: (shares: readonly string[]) => string | undefined
}

/** Rows of one statement for several askers, whose own are never divided: with many more, PostgreSQL and this process take turns. */
const MOST_ROWS = 600

/**
 * Joins the loads of concurrent requests: those with equal options that are asked for in one turn of the event loop
 * become one statement. It is no cache: each statement begins after all its askers have asked, and its answer is gone
 * with them. What one caller may see is in the keys or in the options of every load, so that no answer is shared by two
 * whom it would tell different things. A statement that the database refuses is divided until only the asker whose key is
 * at fault is told; one that takes too long, or a database that is away, is told to its askers and to nobody else. Each
 * asker waits no longer than their own request may take, and the statement goes on for the others, until none is left.
 */
export function createJoin(askers: Joining): Join {
  return (how, load) => join(how as never, load, askers)
}

function join<Key, Options extends readonly unknown[], Answer>(
  how: Sharing<Key, Answer>,
  load: Load<Key, Options, Answer>,
  askers: Joining,
): Load<Key, Options, Answer> {
  const { weigh = () => 1 } = how
  let waiting: Map<string, { options: Options; calls: Call<Key, Answer>[] }> = new Map()
  // Bound to where this was made, which is no request: else it would be the work of whoever asked first.
  const flush = AsyncResource.bind(() => {
    const batches = waiting
    // Not cleared, lest answers outlive their requests: docs/internals.md.
    waiting = new Map()
    for (const { options, calls } of batches.values())
      for (const chunk of chunksOf(calls)) {
        if (chunk.length > 1) askers.onJoined(chunk.length - 1)
        void answer(how, (keys) => load(keys, ...options), chunk, askers)
      }
  })
  return (keys, ...options) => {
    const weight = keys.reduce((sum, key) => sum + weigh(key, options), 0)
    return new Promise((resolve, reject) => {
      if (waiting.size === 0) setImmediate(flush)
      const same = options.length === 0 ? '' : JSON.stringify(options)
      const batch = waiting.get(same) ?? { options, calls: [] }
      waiting.set(same, batch)
      const settle =
        <Value>(tell: (value: Value) => void) =>
        (value: Value) => {
          forget()
          tell(value)
        }
      const forget = askers.whenEnded((reason) => {
        call.gone = reason
        reject(reason)
        call.onGone?.(reason)
      })
      const call: Call<Key, Answer> = {
        keys,
        weight,
        share: askers.share(),
        asker: new AsyncResource('Joined'),
        resolve: settle(resolve),
        reject: settle(reject),
      }
      batch.calls.push(call)
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

async function answer<Key, Answer>(
  how: Sharing<Key, Answer>,
  load: (keys: readonly Key[]) => Promise<Answer>,
  asking: readonly Call<Key, Answer>[],
  askers: Joining,
): Promise<void> {
  const calls = asking.filter(({ gone }) => gone === undefined)
  const [only] = calls
  if (!only) return
  try {
    if (calls.length === 1)
      return only.resolve(await only.asker.runInAsyncScope(() => load(only.keys)))
    const keys = distinct(how, calls)
    const share = askers.lightest(calls.map((call) => call.share)) ?? only.share
    const nobody = whenAllAreGone(calls)
    const partOf = how.split(
      await askers.runShared(() => load(keys), { share, signal: nobody }),
      keys,
    )
    for (const call of calls) call.resolve(partOf(call.keys))
  } catch (error) {
    if (calls.length === 1 || !isAboutData(error)) for (const call of calls) call.reject(error)
    else {
      const middle = calls.length >> 1
      void answer(how, load, calls.slice(0, middle), askers)
      void answer(how, load, calls.slice(middle), askers)
    }
  }
}

/** Aborted when none of them waits any more. */
function whenAllAreGone<Key, Answer>(calls: readonly Call<Key, Answer>[]): AbortSignal {
  const controller = new AbortController()
  let left = calls.length
  const onGone = (reason: unknown) => {
    left -= 1
    if (left === 0) controller.abort(reason)
  }
  for (const call of calls) call.onGone = onGone
  return controller.signal
}

function distinct<Key, Answer>(
  { textOf }: Sharing<Key, Answer>,
  calls: readonly Call<Key, Answer>[],
): readonly Key[] {
  const keys = new Map<string, Key>()
  for (const call of calls) for (const key of call.keys) keys.set(textOf(key), key)
  return [...keys.values()]
}

/** What a statement of fewer keys may not fail with. */
const divisible = ['INTERNAL', 'LIMIT_EXCEEDED']

function isAboutData(error: unknown): boolean {
  return !(error instanceof GatewayError) || divisible.includes(error.code)
}
