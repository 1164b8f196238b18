import { type GraphQLSchema, NoSchemaIntrospectionCustomRule } from 'graphql'
import { createYoga, type Plugin, useReadinessCheck } from 'graphql-yoga'
import { createViewer } from '../access/viewer.ts'
import type { Authenticator } from '../domain/caller.ts'
import { REPRESENTATION } from '../domain/limits.ts'
import type { RateLimit } from '../domain/rate.ts'
import { type Context, createContext, type Sources } from '../graph/context.ts'
import { createDocumentCache } from '../operation/cache.ts'
import { useCompiledExecution } from '../operation/engine.ts'
import { asRequestError, toClientError, withoutSuggestion } from '../operation/errors.ts'
import { type DocumentLimits, useDocumentLimits } from '../operation/limits.ts'
import { useReadOnly } from '../operation/read-only.ts'
import { type TrustedDocuments, useTrustedDocuments } from '../operation/trusted.ts'
import { useFewVariableErrors } from '../operation/variables.ts'
import { useBatchLimit } from './batch.ts'
import { corsFor, corsHeaders, useVaryByOrigin } from './cors.ts'
import { type GraphiQLOptions, graphiqlOf } from './graphiql.ts'
import { createLeanLane } from './json.ts'
import { type CurrentRequest, useCurrentRequest } from './observed.ts'
import { countCaller, useRateLimit } from './rate-limit.ts'
import { useRequestErrors } from './request-errors.ts'
import { mostValues } from './request-values.ts'

export interface HandlerOptions {
  readonly schema: GraphQLSchema
  readonly sources: Sources
  readonly authenticator: Authenticator
  readonly ready: () => Promise<boolean>
  readonly request: CurrentRequest
  /** The name of an operation by its text, for texts of a closed set: logs and metrics hold no other. */
  readonly nameOf: (query: string) => string | null
  /** Told once of each error on our side, which the client is not told the cause of. */
  readonly onUnexpected: (error: unknown) => void
  /** `null`: no GraphiQL. */
  readonly graphiql: GraphiQLOptions | null
  /** Whether errors may suggest names as well. */
  readonly introspection: boolean
  readonly limits: { readonly document: DocumentLimits; readonly bodyBytes: number }
  /** `null`: any number of requests. */
  readonly rate: RateLimit | null
  readonly corsOrigins: readonly string[]
  /** The most operations in one request. */
  readonly batchLimit: number
  /** `null`: any document is answered. */
  readonly trustedDocuments: TrustedDocuments | null
  /** Where mutations are told to go: Better Auth's HTTP API. `null`: they are not told. */
  readonly writeTo: string | null
}

const ENDPOINT = '/graphql'

/**
 * The steps of a request, in order: admission, CORS, health, count, batch, trusted document, parse, limits of documents,
 * refuse mutations, validate, authenticate, execute, mask.
 */
export function createHandler(options: HandlerOptions) {
  const { request } = options
  const onUnexpected = once((error) => request.isGivenUp() || options.onUnexpected(error))
  const toldOf = (error: unknown) => {
    const told = toClientError(error, { onUnexpected, requestId: request.id() })
    request.error(String(told.extensions.code))
    return options.introspection ? told : withoutSuggestion(told)
  }
  const values = mostValues(
    options.limits.document.tokens,
    options.schema.getType(REPRESENTATION) !== undefined,
  )
  const yoga = createYoga<object, Context>({
    schema: options.schema,
    plugins: [
      useCurrentRequest(request, options.nameOf, toldOf),
      useVaryByOrigin(options.corsOrigins),
      useReadinessCheck({ endpoint: '/ready', check: options.ready }),
      ...(options.rate ? [useRateLimit(options.rate)] : []),
      useRequestErrors(values),
      useBatchLimit(options.batchLimit),
      ...(options.trustedDocuments ? [useTrustedDocuments(options.trustedDocuments)] : []),
      useDocumentLimits(options.limits.document, options.introspection),
      useReadOnly(options.writeTo),
      useFewVariableErrors(),
      useCompiledExecution(),
      ...(options.introspection ? [] : [useNoIntrospection]),
    ],
    context: async ({ request: { headers } }) => {
      try {
        const caller = await options.authenticator.authenticate(headers)
        request.caller(caller.kind)
        if (options.rate) await countCaller(options.rate, caller)
        return createContext(options.sources, createViewer(caller, options.sources))
      } catch (error) {
        throw asRequestError(error)
      }
    },
    maskedErrors: { maskError: toldOf },
    graphqlEndpoint: ENDPOINT,
    healthCheckEndpoint: '/health',
    cors: corsFor(options.corsOrigins),
    batching: { limit: options.batchLimit },
    // Clients name trusted documents by it.
    extraParamNames: options.trustedDocuments ? ['documentId'] : [],
    maxRequestBodySize: options.limits.bodyBytes,
    parserAndValidationCache: {
      documentCache: createDocumentCache(),
      errorCache: createDocumentCache(),
      // Done with the limits of documents.
      validationCache: false,
    },
    multipart: false,
    landingPage: false,
    logging: false,
    ...graphiqlOf(options.graphiql),
  })
  const node = createLeanLane({
    yoga,
    path: ENDPOINT,
    largestBodyBytes: options.limits.bodyBytes,
    mostValues: values,
    rate: options.rate,
    corsHeaders: corsHeaders(options.corsOrigins),
    mask: toldOf,
  })
  return {
    fetch: async (request: Request) => yoga.fetch(request),
    node,
    dispose: async () => yoga.dispose(),
  }
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
