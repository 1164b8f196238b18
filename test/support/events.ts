import { type IncomingMessage, request } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'

export interface SubscribeOptions {
  readonly token?: string | undefined
  readonly variables?: Readonly<Record<string, unknown>>
  readonly headers?: Readonly<Record<string, string>>
  /** As `EventSource` asks. */
  readonly byGet?: boolean
}

// biome-ignore lint/suspicious/noExplicitAny: whatever the operation selects
export type Told = any

/** One subscription, as a client of Server-Sent Events has it. */
export interface Subscribed {
  readonly status: number
  readonly headers: IncomingMessage['headers']
  /** Everything that came, in order. */
  readonly events: readonly Told[]
  /** Comments that came between events. */
  readonly beats: number
  /** `complete`: by the event of that name. `cut`: the connection has ended without it. */
  readonly ended: 'complete' | 'cut' | null
  /** The next event that nobody has taken. @throws Error when none comes in time. */
  next(withinMs?: number): Promise<Told>
  /** Whether nothing that nobody has taken comes for so long. */
  isQuiet(forMs: number): Promise<boolean>
  /** How it has ended. @throws Error when it has not in time. */
  end(withinMs?: number): Promise<'complete' | 'cut'>
  close(): void
}

/** Subscribes at a server that listens at this address. */
export async function subscribe(
  url: string,
  query: string,
  { token, variables, headers = {}, byGet = false }: SubscribeOptions = {},
): Promise<Subscribed> {
  const body = JSON.stringify({ query, variables })
  const parameters = new URLSearchParams({ query, variables: JSON.stringify(variables ?? {}) })
  const asked = request(byGet ? `${url}?${parameters}` : url, {
    method: byGet ? 'GET' : 'POST',
    agent: false,
    headers: {
      accept: 'text/event-stream',
      ...(byGet
        ? {}
        : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }),
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      ...headers,
    },
  })
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    asked.once('response', resolve)
    asked.once('error', reject)
    asked.end(byGet ? undefined : body)
  })
  return read(response, () => asked.destroy())
}

function read(response: IncomingMessage, close: () => void): Subscribed {
  const events: Told[] = []
  let taken = 0
  let beats = 0
  let ended: Subscribed['ended'] = null
  let rest = ''
  let wake = (): void => {}
  const onBlock = (block: string) => {
    const fields = new Map(
      block.split('\n').map((line) => {
        const at = line.indexOf(':')
        return [line.slice(0, at), line.slice(at + 1).trim()] as const
      }),
    )
    if (fields.get('event') === 'next') events.push(JSON.parse(fields.get('data') ?? ''))
    else if (fields.get('event') === 'complete') ended = 'complete'
    else beats += 1
  }
  response.setEncoding('utf8')
  response.on('data', (text: string) => {
    const blocks = (rest + text).split('\n\n')
    rest = blocks.pop() ?? ''
    for (const block of blocks) onBlock(block)
    wake()
  })
  response.on('error', () => {})
  response.once('close', () => {
    ended ??= 'cut'
    wake()
  })
  const until = async (isThere: () => boolean, withinMs: number) => {
    const deadline = performance.now() + withinMs
    while (!isThere()) {
      const restMs = deadline - performance.now()
      if (restMs <= 0) return false
      await Promise.race([new Promise<void>((resolve) => (wake = resolve)), sleep(restMs)])
    }
    return true
  }
  return {
    status: response.statusCode ?? 0,
    headers: response.headers,
    events,
    get beats() {
      return beats
    },
    get ended() {
      return ended
    },
    async next(withinMs = 10_000) {
      if (!(await until(() => events.length > taken, withinMs)))
        throw new Error(`No event came within ${withinMs} ms; ended: ${ended}.`)
      taken += 1
      return events[taken - 1]
    },
    async isQuiet(forMs) {
      return !(await until(() => events.length > taken, forMs))
    },
    async end(withinMs = 10_000) {
      if (!(await until(() => ended !== null, withinMs)) || ended === null)
        throw new Error(`The subscription has not ended within ${withinMs} ms.`)
      return ended
    },
    close,
  }
}
