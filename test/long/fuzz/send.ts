import { type Agent, request as open } from 'node:http'
import type { FuzzedRequest } from './random-request.ts'

export interface Answered {
  readonly status: number
  readonly type: string
  readonly headers: string
  readonly text: string
  readonly milliseconds: number
}

const PATIENCE_MS = 30_000

/** @throws Error when there is no whole answer within 30 seconds. */
export async function send(base: string, agent: Agent, fuzzed: FuzzedRequest): Promise<Answered> {
  const { method, path, headers, body, chunked } = fuzzed
  const begun = performance.now()
  return new Promise((resolve, reject) => {
    const { hostname, port } = new URL(base)
    const length = chunked || body === null ? {} : { 'content-length': String(body.length) }
    const sent = open(
      {
        hostname,
        port,
        method,
        path,
        agent,
        headers: { ...headers, ...length },
        timeout: PATIENCE_MS,
      },
      (response) => {
        const pieces: Buffer[] = []
        response.on('data', (piece) => pieces.push(piece))
        response.on('error', reject)
        response.on('end', () =>
          resolve({
            status: response.statusCode ?? 0,
            type: response.headers['content-type'] ?? '',
            headers: response.rawHeaders.join('\n'),
            text: Buffer.concat(pieces).toString(),
            milliseconds: performance.now() - begun,
          }),
        )
      },
    )
    sent.on('error', reject)
    sent.on('timeout', () => sent.destroy(new Error('No answer in time.')))
    if (body !== null && chunked) {
      const half = Math.floor(body.length / 2)
      sent.write(body.subarray(0, half))
      sent.end(body.subarray(half))
    } else sent.end(body ?? undefined)
  })
}
