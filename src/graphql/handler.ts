import { type GraphQLSchema, NoSchemaIntrospectionCustomRule } from 'graphql'
import { createYoga, type Plugin, useReadinessCheck } from 'graphql-yoga'
import type { Authenticator } from '../domain/caller.ts'
import { useBatchLimit } from './batch.ts'
import { type Context, createContext, type Sources } from './context.ts'
import { corsFor, useVaryByOrigin } from './cors.ts'
import { asRequestError, toClientError } from './errors.ts'
import { type GraphiQLOptions, graphiqlOf } from './graphiql.ts'
import { useReadOnly } from './read-only.ts'
import { type TrustedDocuments, useTrustedDocuments } from './trusted-documents.ts'

export interface HandlerOptions {
  readonly schema: GraphQLSchema
  readonly sources: Sources
  readonly authenticator: Authenticator
  readonly ready: () => Promise<boolean>
  readonly onRequest: (request: RequestReport) => void
  /** Told once of each error on our side, which the client is not told the cause of. */
  readonly onUnexpected: (error: unknown) => void
  /** `null`: no GraphiQL. */
  readonly graphiql: GraphiQLOptions | null
  readonly introspection: boolean
  readonly corsOrigins: readonly string[]
  /** The most operations in one request. */
  readonly batchLimit: number
  /** `null`: any document is answered. */
  readonly trustedDocuments: TrustedDocuments | null
  /** Where mutations are told to go: Better Auth's HTTP API. `null`: they are not told. */
  readonly writeTo: string | null
}

export interface RequestReport {
  readonly method: string
  readonly path: string
  readonly status: number
  readonly durationMs: number
}

const LARGEST_BODY_BYTES = 100 * 1024

/** The steps of a request, in order: report, CORS, health, batch, document, parse, refuse mutations, validate, authenticate, execute, mask. */
export function createHandler(options: HandlerOptions) {
  const onUnexpected = once(options.onUnexpected)
  return createYoga<object, Context>({
    schema: options.schema,
    plugins: [
      useReport(options.onRequest),
      useVaryByOrigin(options.corsOrigins),
      useReadinessCheck({ endpoint: '/ready', check: options.ready }),
      useBatchLimit(options.batchLimit),
      ...(options.trustedDocuments ? [useTrustedDocuments(options.trustedDocuments)] : []),
      useReadOnly(options.writeTo),
      ...(options.introspection ? [] : [useNoIntrospection]),
    ],
    context: async ({ request }) => {
      try {
        const caller = await options.authenticator.authenticate(request.headers)
        return createContext(options.sources, caller)
      } catch (error) {
        throw asRequestError(error)
      }
    },
    maskedErrors: { maskError: (error) => toClientError(error, onUnexpected) },
    graphqlEndpoint: '/graphql',
    healthCheckEndpoint: '/health',
    cors: corsFor(options.corsOrigins),
    batching: { limit: options.batchLimit },
    // Clients name trusted documents by it.
    extraParamNames: options.trustedDocuments ? ['documentId'] : [],
    maxRequestBodySize: LARGEST_BODY_BYTES,
    multipart: false,
    landingPage: false,
    logging: false,
    ...graphiqlOf(options.graphiql),
  })
}

/** One failed statement is the error of every field that waited for it. */
function once(report: (error: unknown) => void): (error: unknown) => void {
  const reported = new WeakSet()
  return (error) => {
    if (error instanceof Error && reported.has(error)) return
    if (error instanceof Error) reported.add(error)
    report(error)
  }
}

const useNoIntrospection: Plugin = {
  onValidate({ addValidationRule }) {
    addValidationRule(NoSchemaIntrospectionCustomRule)
  },
}

function useReport(onRequest: HandlerOptions['onRequest']): Plugin {
  const begun = new WeakMap<Request, number>()
  return {
    onRequest({ request }) {
      begun.set(request, performance.now())
    },
    onResponse({ request, response }) {
      onRequest({
        method: request.method,
        path: new URL(request.url).pathname,
        status: response.status,
        durationMs: Math.round(performance.now() - (begun.get(request) ?? performance.now())),
      })
    },
  }
}
