import { createServer } from 'node:http'
import { expect, vi } from 'vitest'
import { documentedBlocks } from '../../support/documentation.ts'
import type { Application } from './clients.ts'
import { packages } from './clients.ts'

/** Events of one client, in order, with when each came. */
export interface Seen {
  readonly events: {
    // biome-ignore lint/suspicious/noExplicitAny: whatever is selected
    readonly data: any
    readonly atMs: number
  }[]
  /** Whether it has ended by itself. */
  ended: boolean
  /** By which it has ended. */
  error: unknown
  close(): void
}

/** In which a client has to be told, also where a machine is busy. */
export const LONGEST_MS = 5000

const blocks = documentedBlocks(['docs/subscriptions.md'])

/** The one block of docs/subscriptions.md in this language that contains this. */
export function documentedWith(language: string, marker: string): string {
  const found = blocks.filter((block) => block.language === language && block.text.includes(marker))
  if (found.length !== 1 || !found[0])
    throw new Error(`${found.length} blocks of ${language} contain ${marker}.`)
  return found[0].text
}

const ADDRESS = 'https://identity.example.com/graphql'
const TOKEN = 'declare function getToken(): Promise<string>'

/** The client of graphql-sse as docs/subscriptions.md makes it, for one gateway and one caller. */
export async function sseClient(
  application: Application,
  url: string,
  getToken: () => Promise<string>,
): Promise<{
  subscribe(query: string, variables?: Readonly<Record<string, unknown>>): Seen
  dispose(): void
}> {
  const text = documentedWith('ts', 'graphql-sse')
  if (!text.includes(ADDRESS) || !text.includes(TOKEN)) throw new Error('The block has changed.')
  count += 1
  const file = `client-${count}.ts`
  await application.write(
    file,
    text
      .replace(ADDRESS, url)
      .replace(TOKEN, 'export const caller = { getToken: null }')
      .replaceAll('getToken()', 'caller.getToken()'),
  )
  const { client, caller } = await application.load(file)
  caller.getToken = getToken
  return {
    subscribe(query, variables) {
      const seen = watch(() => {})
      seen.close = client.subscribe(
        { query, variables },
        {
          next: (data: { readonly data: unknown }) => seen.events.push(arrived(data)),
          complete: () => {
            seen.ended = true
          },
          error: (error: unknown) => {
            seen.ended = true
            seen.error = error
          },
        },
      )
      return seen
    },
    dispose: () => client.dispose(),
  }
}

/** The `EventSource` of docs/subscriptions.md in a page of the gateway's own host, which has this cookie. It waits for less. */
export function eventSource(url: string, cookie: string): Seen {
  const { EventSource } = packages('eventsource')
  const origin = new URL(url).origin
  const sources: { close(): void }[] = []
  const seen = watch(() => {
    for (const source of sources) source.close()
  })
  /** What browsers add by themselves. */
  class PageEventSource extends EventSource {
    constructor(address: string) {
      super(new URL(address, origin).href, {
        fetch: (input: string, init: { headers: Record<string, string> }) =>
          fetch(input, {
            ...init,
            headers: { ...init.headers, cookie, 'sec-fetch-site': 'same-origin' },
          }),
      })
      sources.push(this as unknown as { close(): void })
      this.addEventListener('complete', () => {
        seen.ended = true
      })
    }
  }
  const page = { log: (data: { readonly data: unknown }) => seen.events.push(arrived(data)) }
  const soon = (work: () => void) => setTimeout(work, 1000)
  const block = documentedWith('js', 'EventSource')
  new Function('EventSource', 'console', 'setTimeout', block)(PageEventSource, page, soon)
  return seen
}

let count = 0

function watch(close: () => void): Seen {
  return { events: [], ended: false, error: undefined, close }
}

function arrived(result: { readonly data: unknown; readonly errors?: unknown }) {
  if (result.errors) throw new Error(JSON.stringify(result.errors))
  return { data: result.data, atMs: performance.now() }
}

/** The first of these events that is like this, from the one with this index. */
export function first(seen: Seen, from: number, isIt: (event: never) => boolean): Promise<number> {
  return vi.waitFor(
    () => {
      const found = seen.events
        .slice(from)
        .find(({ data }) => isIt(Object.values(data)[0] as never))
      expect(found, JSON.stringify(seen.events.map(({ data }) => data))).toBeDefined()
      return found?.atMs ?? 0
    },
    { timeout: LONGEST_MS, interval: 10 },
  )
}

/** Until every client was told that there is nobody yet: one asks by POST, and the other by GET. */
export async function refuseEach(port: string): Promise<void> {
  const refused = new Set<string | undefined>()
  const server = createServer(({ method }, response) => {
    refused.add(method)
    response.writeHead(503, { connection: 'close' }).end()
  }).listen(Number(port), '127.0.0.1')
  await vi.waitFor(() => expect(refused.size).toBe(2), { timeout: 20_000 })
  await new Promise((resolve) => server.close(resolve))
}
