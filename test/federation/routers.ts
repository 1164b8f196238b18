import { ApolloGateway, RemoteGraphQLDataSource } from '@apollo/gateway'
import { ApolloServer } from '@apollo/server'
import { createGatewayRuntime } from '@graphql-hive/gateway-runtime'
import http from '@graphql-mesh/transport-http'
import { buildHTTPExecutor } from '@graphql-tools/executor-http'
import { stitchSchemas } from '@graphql-tools/stitch'
import { stitchingDirectives } from '@graphql-tools/stitching-directives'
import {
  buildSchema,
  type ExecutionResult,
  execute,
  type FormattedExecutionResult,
  parse,
} from 'graphql'
import { decodeJwt, type JWTPayload } from 'jose'
import type { Service } from './services.ts'

/** What asks the gateway and other services in the name of a client, whose credential it passes on. */
export interface Router {
  ask(query: string, token?: string): Promise<Answer>
  stop(): Promise<void>
}

/** One that passes subscriptions on. */
export interface SubscribingRouter extends Router {
  /** Answered as a client that takes Server-Sent Events is. */
  subscribe(query: string, token: string, signal: AbortSignal): Promise<Response>
}

export interface Answer {
  // biome-ignore lint/suspicious/noExplicitAny: whatever the operation selects
  readonly data: any
  /** Of the errors, without repetition, sorted. */
  readonly codes: readonly string[]
}

interface Caller {
  readonly token: string | undefined
}

const asCaller = ({ token }: Caller): Record<string, string> =>
  token === undefined ? {} : { authorization: `Bearer ${token}` }

export async function startApolloGateway(supergraphSdl: string): Promise<Router> {
  const gateway = new ApolloGateway({
    supergraphSdl,
    buildService: ({ url = '' }) =>
      new RemoteGraphQLDataSource({
        url,
        willSendRequest({ request, context }) {
          for (const [name, value] of Object.entries(asCaller({ token: context.token })))
            request.http?.headers.set(name, value)
        },
      }),
  })
  const server = new ApolloServer<Caller>({ gateway })
  await server.start()
  return {
    async ask(query, token) {
      const { body } = await server.executeOperation({ query }, { contextValue: { token } })
      if (body.kind !== 'single') throw new Error('An answer in parts was not asked for.')
      return toAnswer(body.singleResult)
    },
    stop: () => server.stop(),
  }
}

/** `guarded`: it refuses by itself what the graph says about authorization, by the claims of the token. */
export async function startHiveGateway(
  supergraph: string,
  { guarded = false } = {},
): Promise<SubscribingRouter> {
  const runtime = createGatewayRuntime({
    supergraph,
    ...(guarded
      ? {
          genericAuth: {
            mode: 'protect-granular',
            resolveUserFn: claimsOf,
            rejectUnauthenticated: false,
          },
        }
      : {}),
    transports: { http },
    logging: false,
    propagateHeaders: {
      fromClientToSubgraphs: ({ request }) => {
        const authorization = request.headers.get('authorization')
        return authorization === null ? {} : { authorization }
      },
    },
  })
  const post = async (query: string, token: string | undefined, more: RequestInit = {}) =>
    runtime.fetch('http://hive/graphql', {
      method: 'POST',
      ...more,
      headers: { 'content-type': 'application/json', ...asCaller({ token }), ...more.headers },
      body: JSON.stringify({ query }),
    })
  return {
    async ask(query, token) {
      const response = await post(query, token)
      return toAnswer((await response.json()) as FormattedExecutionResult)
    },
    subscribe: (query, token, signal) =>
      post(query, token, { signal, headers: { accept: 'text/event-stream' } }),
    stop: async () => {
      await runtime[Symbol.asyncDispose]()
    },
  }
}

function claimsOf({ request }: { readonly request: Request }): JWTPayload | null {
  const authorization = request.headers.get('authorization')
  return authorization === null ? null : decodeJwt(authorization.replace('Bearer ', ''))
}

/** The gateway takes at most 100 keys at once. */
const inHundreds = { dataLoaderOptions: { maxBatchSize: 100 } }

/** As docs/federation.md has it. */
export function startStitched(
  identity: { readonly url: string; readonly sdl: string },
  others: readonly Service[],
): Router {
  const { stitchingDirectivesTransformer } = stitchingDirectives()
  const executorOf = (endpoint: string) =>
    buildHTTPExecutor({ endpoint, headers: (request) => asCaller(request?.context) })
  const schema = stitchSchemas({
    subschemaConfigTransforms: [stitchingDirectivesTransformer],
    subschemas: [
      {
        schema: buildSchema(identity.sdl),
        executor: executorOf(identity.url),
        batch: true,
        merge: { User: inHundreds, Organization: inHundreds },
      },
      ...others.map(({ plainSdl, url }) => ({
        schema: buildSchema(plainSdl),
        executor: executorOf(url),
        batch: true,
      })),
    ],
  })
  return {
    ask: async (query, token) =>
      toAnswer(await execute({ schema, document: parse(query), contextValue: { token } })),
    stop: async () => {},
  }
}

function toAnswer({ data, errors }: ExecutionResult | FormattedExecutionResult): Answer {
  const codes = (errors ?? []).map(({ extensions, message }) => String(extensions?.code ?? message))
  return { data, codes: [...new Set(codes)].toSorted() }
}
