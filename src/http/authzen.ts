import type { ServerResponse } from 'node:http'
import type { ExecutionResult } from 'graphql'
import {
  type AuthzenAnswer,
  type AuthzenParts,
  createAuthzenAnswer,
  paths,
  type Route,
} from '../authzen/answer.ts'
import { baseOf, describeAuthzen, WELL_KNOWN } from '../authzen/metadata.ts'
import { type Reply, refuseWith } from '../authzen/reply.ts'
import { badRequest, requestError } from '../operation/errors.ts'
import type { Tell } from '../operation/tell.ts'
import { currentScope, type RequestScope } from '../scope.ts'
import { collect } from './body.ts'
import { type Head, headersOf } from './head.ts'
import type { Arrival } from './lane.ts'
import { compressedBody, parseBody } from './values.ts'

export interface AuthzenLaneOptions {
  readonly answer: AuthzenAnswer
  /** What the paths are below; `null`: what a request says. */
  readonly baseUrl: string | null
  readonly largestBodyBytes: number
  readonly tell: Tell
}

/** @param options `publicUrl`: what clients of the graph ask; `null`: that is not known. */
export function createAuthzenLane({
  publicUrl,
  limits,
  ...parts
}: Omit<AuthzenParts, 'baseUrl' | 'limits'> & {
  readonly publicUrl: string | null
  readonly limits: { readonly document: AuthzenParts['limits']; readonly bodyBytes: number }
}): AuthzenLane {
  const baseUrl = baseOf(publicUrl)
  const answer = createAuthzenAnswer({ ...parts, baseUrl, limits: limits.document })
  const { tell } = parts
  return new AuthzenLane({ answer, baseUrl, tell, largestBodyBytes: limits.bodyBytes })
}

const PARENT = '/access/v1/'
const routes: ReadonlyMap<string, Route> = new Map(
  (Object.keys(paths) as Route[]).map((route) => [paths[route], route]),
)
/** Of a hundred evaluations that give everything themselves. */
const MOST_VALUES = 2500

/** The way of requests of the Authorization API, below whatever path. */
export class AuthzenLane {
  readonly #options: AuthzenLaneOptions

  constructor(options: AuthzenLaneOptions) {
    this.#options = options
  }

  /** What is asked for at this place; `null`: it is not for this lane. */
  routeOf({ path }: Pick<Head, 'path'>): Route | null {
    const at = path.lastIndexOf(PARENT)
    return at === -1 ? null : (routes.get(path.slice(at)) ?? null)
  }

  /** What says where to ask what, for whoever looks for it; `null`: nobody does. */
  metadataFor({ path, scheme, host, header }: Head): string | null {
    if (!path.startsWith(WELL_KNOWN)) return null
    const isSecure = scheme === 'https' || header('x-forwarded-proto') === 'https'
    const origin = `${isSecure ? 'https' : 'http'}://${host() ?? 'localhost'}`
    return describeAuthzen({ path, origin }, this.#options.baseUrl)
  }

  node(route: Route, { request, response, head, body }: Arrival): void {
    const scope = currentScope()
    if (!scope) throw new Error('A question belongs to a request.')
    const refuse = (error: unknown) => sendReply(response, this.#refusal(scope, error))
    const most = this.#options.largestBodyBytes
    const misfit = misfitOf(head) ?? (body && body.length > most ? tooLarge(most) : null)
    if (misfit) {
      refuse(misfit)
      return
    }
    const onBody = (read: Buffer) => {
      void this.#answer(route, read.toString('utf8'), headersOf(request), scope).then((reply) =>
        sendReply(response, reply),
      )
    }
    if (body) onBody(body)
    else collect(request, { most, onBody, onTooMuch: () => refuse(tooLarge(most)) })
  }

  async fetch(route: Route, head: Head, request: Request): Promise<Response> {
    const scope = currentScope()
    if (!scope) throw new Error('A question belongs to a request.')
    const most = this.#options.largestBodyBytes
    const misfit = misfitOf(head)
    if (misfit) return toFetchResponse(this.#refusal(scope, misfit))
    const body = await readAtMost(request, most)
    const reply =
      body === null
        ? this.#refusal(scope, tooLarge(most))
        : await this.#answer(route, body, request.headers, scope)
    return toFetchResponse(reply)
  }

  #answer(
    route: Route,
    body: string,
    headers: Pick<Headers, 'get'>,
    scope: RequestScope,
  ): Promise<Reply> {
    let sent: unknown
    try {
      sent = parseBody(body, MOST_VALUES)
    } catch (error) {
      return Promise.resolve(this.#refusal(scope, error))
    }
    return this.#options.answer(route, sent, headers, scope)
  }

  #refusal(scope: RequestScope, error: unknown): Reply {
    return refuseWith(this.#options.tell(scope, [error]))
  }
}

/** What is told of a request as a whole, before or instead of an answer. */
export function sendRefusal(response: ServerResponse, result: ExecutionResult): void {
  sendReply(response, refuseWith(result))
}

export function toRefusal(result: ExecutionResult): Response {
  return toFetchResponse(refuseWith(result))
}

/** Not when it was answered already, because its deadline had passed. */
function sendReply(response: ServerResponse, { status, headers, body }: Reply): void {
  if (response.headersSent) return
  response.writeHead(status, { ...headers, 'content-length': Buffer.byteLength(body) }).end(body)
}

function toFetchResponse({ body, ...head }: Reply): Response {
  return new Response(body, head)
}

/** Why it cannot be a question, whatever its body says. */
function misfitOf({ method, header }: Head) {
  if (method !== 'POST')
    return badRequest(405, 'Only POST is understood here.', { headers: { allow: 'POST' } })
  if ((header('content-encoding') ?? 'identity') !== 'identity') return compressedBody()
  const [mediaType = ''] = (header('content-type') ?? '').split(';', 1)
  if (mediaType.trim().toLowerCase() !== 'application/json')
    return badRequest(400, 'The header Content-Type must be application/json.')
  return null
}

function tooLarge(most: number) {
  const headers = { connection: 'close' }
  return requestError('LIMIT_EXCEEDED', `A request has at most ${most} bytes.`, {
    status: 413,
    headers,
  })
}

/** `null`: there is more. */
async function readAtMost(request: Request, most: number): Promise<string | null> {
  const chunks: Uint8Array[] = []
  let length = 0
  for await (const chunk of request.body ?? []) {
    length += chunk.length
    if (length > most) return null
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}
