import { request } from 'node:http'

export interface Asked {
  readonly query: string
  readonly variables?: Readonly<Record<string, unknown>>
  readonly token: string
}

/**
 * `complete`: by the event of that name; `cut`: without it; `refused`: nothing was told, but an error that may pass;
 * `wrong`: anything else.
 */
export type End = 'complete' | 'cut' | 'refused' | 'wrong'

export interface Told {
  // biome-ignore lint/suspicious/noExplicitAny: whatever is selected
  event(data: any): void
  end(how: End, why: string): void
}

/** Subscribes, and costs as little as it can, so that there may be thousands of them. Answers how to close it. */
export function readEvents(url: string, { token, ...asked }: Asked, told: Told): () => void {
  const body = JSON.stringify(asked)
  let closed = false
  let completed = false
  let problem: string | null = null
  const end = (how: End, why: string) => {
    if (!closed) told.end(how, why)
    closed = true
  }
  const onBlock = (block: string) => {
    if (block.startsWith('event: complete')) completed = true
    if (!block.startsWith('event: next') || closed) return
    const { data, errors } = JSON.parse(block.slice(block.indexOf('data: ') + 6))
    if (errors) problem = JSON.stringify(errors)
    else told.event(Object.values(data)[0])
  }
  const sent = request(url, {
    method: 'POST',
    agent: false,
    headers: {
      accept: 'text/event-stream',
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(body),
      authorization: `Bearer ${token}`,
    },
  })
  sent.on('error', (error) => end('refused', error.message))
  sent.on('response', (response) => {
    let rest = ''
    response.setEncoding('utf8')
    response.on('data', (text: string) => {
      const blocks = (rest + text).split('\n\n')
      rest = blocks.pop() ?? ''
      for (const block of blocks) onBlock(block)
    })
    response.on('error', () => {})
    response.on('close', () => {
      if (problem !== null) end(PASSES.test(problem) ? 'refused' : 'wrong', problem)
      else end(completed ? 'complete' : 'cut', '')
    })
  })
  sent.end(body)
  return () => {
    closed = true
    sent.destroy()
  }
}

const PASSES = /"code":"(UNAVAILABLE|TIMEOUT)"/
