import { type GraphQLSchema, NoSchemaIntrospectionCustomRule } from 'graphql'
import { createYoga, type Plugin, useReadinessCheck } from 'graphql-yoga'
import type { Authenticator } from '../domain/caller.ts'
import { useCompiledExecution } from './compiled-execution.ts'
import { type Context, createContext, type Sources } from './context.ts'
import { asRequestError, toClientError } from './errors.ts'
import { createLeanLane } from './lean-lane.ts'
import { useReadOnly } from './read-only.ts'

export interface HandlerOptions {
  readonly schema: GraphQLSchema
  readonly sources: Sources
  readonly authenticator: Authenticator
  readonly ready: () => Promise<boolean>
  readonly onRequest: (request: RequestReport) => void
  /** Told once of each error on our side, which the client is not told the cause of. */
  readonly onUnexpected: (error: unknown) => void
  /** `null`: no GraphiQL. Headers are what it sends until the reader changes them. */
  readonly graphiql: { readonly headers: Readonly<Record<string, string>> } | null
  readonly introspection: boolean
  readonly corsOrigins: readonly string[]
  /** Where mutations are told to go: Better Auth's HTTP API. `null`: they are not told. */
  readonly writeTo: string | null
}

export interface RequestReport {
  readonly method: string
  readonly path: string
  readonly status: number
  readonly durationMs: number
}

const ENDPOINT = '/graphql'
const LARGEST_BODY_BYTES = 100 * 1024

/** The steps of a request, in order: report, health, CORS, parse, refuse mutations, validate, authenticate, execute, mask. */
export function createHandler(options: HandlerOptions) {
  const onUnexpected = once(options.onUnexpected)
  const allows = (origin: string | null) => origin !== null && options.corsOrigins.includes(origin)
  const mask = (error: unknown) => toClientError(error, onUnexpected)
  const yoga = createYoga<object, Context>({
    schema: options.schema,
    plugins: [
      useReport(options.onRequest),
      useReadinessCheck({ endpoint: '/ready', check: options.ready }),
      useReadOnly(options.writeTo),
      useCompiledExecution(),
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
    maskedErrors: { maskError: mask },
    graphqlEndpoint: ENDPOINT,
    healthCheckEndpoint: '/health',
    cors: (request) => {
      const origin = request.headers.get('origin')
      return allows(origin) ? { origin: [origin ?? ''], credentials: true } : false
    },
    maxRequestBodySize: LARGEST_BODY_BYTES,
    multipart: false,
    landingPage: false,
    logging: false,
    graphiql: options.graphiql !== null && {
      title: 'Identity Gateway',
      defaultQuery: FIRST_QUERY,
      headers: JSON.stringify(options.graphiql.headers, null, 2),
      shouldPersistHeaders: true,
    },
    // The page is nine megabytes of script that only its readers need; from a package, so that no network is needed.
    renderGraphiQL: async (page) =>
      (await import('@graphql-yoga/render-graphiql')).renderGraphiQL(page),
  })
  const node = createLeanLane({
    yoga,
    path: ENDPOINT,
    largestBodyBytes: LARGEST_BODY_BYTES,
    corsHeaders: (origin): Record<string, string> =>
      allows(origin)
        ? { 'access-control-allow-origin': origin, 'access-control-allow-credentials': 'true' }
        : {},
    mask,
    onAnswer: (answer) => options.onRequest({ method: 'POST', path: ENDPOINT, ...answer }),
  })
  return {
    fetch: async (request: Request) => yoga.fetch(request),
    node,
    dispose: async () => yoga.dispose(),
  }
}

const FIRST_QUERY = `# Who am I, and with whom do I work? Your token goes under Headers:
# { "Authorization": "Bearer <a JWT of Better Auth>" }
query Viewer {
  viewer {
    name
    organizations(first: 5) {
      nodes {
        name
        viewerPermissions
        members(first: 10) {
          totalCount
          nodes {
            roles
            user {
              name
              email
            }
          }
        }
      }
    }
  }
}
`

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
