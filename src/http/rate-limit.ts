import { GraphQLError } from 'graphql'
import type { Plugin } from 'graphql-yoga'
import type { Caller } from '../domain/caller.ts'
import { GatewayError } from '../domain/errors.ts'
import type { RateLimit } from '../domain/rate.ts'

/** What Yoga is given with a request that came over `node:http`. */
interface NodeContext {
  readonly req?: { readonly socket?: { readonly remoteAddress?: string | undefined } }
}

/** Counts requests to the graph by address before anything else is done for them. */
export function useRateLimit(rate: RateLimit): Plugin<object, NodeContext> {
  return {
    async onRequest({ request, url, serverContext, endResponse, fetchAPI }) {
      if (url.pathname !== '/graphql') return
      const seconds = await rate.ofAddress({
        remoteAddress: serverContext?.req?.socket?.remoteAddress,
        forwardedFor: request.headers.get('x-forwarded-for'),
      })
      if (seconds === null) return
      const { body, ...head } = tooMany(seconds)
      endResponse(new fetchAPI.Response(body, head))
    },
  }
}

/** @throws GraphQLError RATE_LIMITED */
export async function countCaller(rate: RateLimit, caller: Caller): Promise<void> {
  const seconds = await rate.ofCaller(caller)
  if (seconds === null) return
  throw new GraphQLError(MESSAGE, {
    originalError: new GatewayError('RATE_LIMITED', MESSAGE),
    extensions: { http: { status: 429, headers: { 'retry-after': String(seconds) } } },
  })
}

const MESSAGE = 'Too many requests: wait as long as Retry-After says.'

/** The answer to a request that is over the limit of its address. */
export function tooMany(seconds: number) {
  const errors = [{ message: MESSAGE, extensions: { code: 'RATE_LIMITED' } }]
  const headers = { 'content-type': 'application/json', 'retry-after': String(seconds) }
  return { status: 429, headers, body: JSON.stringify({ errors }) }
}
