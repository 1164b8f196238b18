import { AsyncResource } from 'node:async_hooks'
import type { IncomingMessage } from 'node:http'
import { badRequest } from '../operation/errors.ts'

/**
 * The body of a request that was read before the gateway saw it, as it was sent; `null`: it is still to be read. Parsers
 * leave what they read as the property `body`, and some of them set it without having read anything.
 * @throws GraphQLError when it was read and is nowhere: nobody can wait for what does not come again.
 */
export function bodyReadBefore(request: IncomingMessage & { readonly body?: unknown }) {
  if (!request.readableDidRead && !request.readableEnded) return null
  const { body, headers } = request
  if (body === undefined || body === null) throw badRequest(500, READ_AND_GONE)
  if (typeof body === 'string') return Buffer.from(body)
  if (body instanceof Uint8Array) return Buffer.from(body)
  return Buffer.from(FORM.test(headers['content-type'] ?? '') ? toForm(body) : JSON.stringify(body))
}

/**
 * Reads a body that nobody has read.
 * @param told What happens with it, or once it has more than so many bytes.
 */
export function collect(
  request: IncomingMessage,
  told: {
    readonly most: number
    readonly onBody: (body: Buffer) => void
    readonly onTooMuch: () => void
  },
): void {
  const chunks: Buffer[] = []
  let length = 0
  const onEnd = () =>
    length <= told.most &&
    told.onBody(chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks))
  // The event comes from the connection; what follows belongs to this request.
  const own = new AsyncResource('Body')
  request.on('data', (chunk: Buffer | string) => {
    const wasWithin = length <= told.most
    const read = toBuffer(chunk, request)
    length += read.length
    if (length <= told.most) chunks.push(read)
    else if (wasWithin) own.runInAsyncScope(told.onTooMuch)
  })
  request.on('end', () => own.runInAsyncScope(onEnd))
}

/** Whoever had the request before may have asked for text. */
function toBuffer(chunk: Buffer | string, { readableEncoding }: IncomingMessage): Buffer {
  return typeof chunk === 'string' ? Buffer.from(chunk, readableEncoding ?? 'utf8') : chunk
}

const FORM = /^application\/x-www-form-urlencoded\b/

function toForm(fields: object): string {
  const texts = Object.entries(fields).map(([name, value]) => [
    name,
    typeof value === 'string' ? value : JSON.stringify(value),
  ])
  return new URLSearchParams(texts).toString()
}

const READ_AND_GONE =
  'The body of this request was read before the gateway saw it: let the gateway answer ahead of body parsers, or set the property body of the request to what they read.'
