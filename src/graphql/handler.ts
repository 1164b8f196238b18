import { type GraphQLSchema, NoSchemaIntrospectionCustomRule } from 'graphql'
import { createYoga, type Plugin, useReadinessCheck } from 'graphql-yoga'
import type { Authenticator } from '../domain/caller.ts'
import { type Context, createContext, type Sources } from './context.ts'
import { asRequestError, toClientError } from './errors.ts'
import { type CurrentRequest, useCurrentRequest } from './observed.ts'
import { useReadOnly } from './read-only.ts'

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
  /** `null`: no GraphiQL. Headers are what it sends until the reader changes them. */
  readonly graphiql: { readonly headers: Readonly<Record<string, string>> } | null
  readonly introspection: boolean
  readonly corsOrigins: readonly string[]
  /** Where mutations are told to go: Better Auth's HTTP API. `null`: they are not told. */
  readonly writeTo: string | null
}

const LARGEST_BODY_BYTES = 100 * 1024

/** The steps of a request, in order: admission, health, CORS, parse, refuse mutations, validate, authenticate, execute, mask. */
export function createHandler(options: HandlerOptions) {
  const { request } = options
  const onUnexpected = once((error) => request.isGivenUp() || options.onUnexpected(error))
  const toldOf = (error: unknown) => {
    const told = toClientError(error, { onUnexpected, requestId: request.id() })
    request.error(String(told.extensions.code))
    return told
  }
  return createYoga<object, Context>({
    schema: options.schema,
    plugins: [
      useCurrentRequest(request, options.nameOf, toldOf),
      useReadinessCheck({ endpoint: '/ready', check: options.ready }),
      useReadOnly(options.writeTo),
      ...(options.introspection ? [] : [useNoIntrospection]),
    ],
    context: async ({ request: { headers } }) => {
      try {
        const caller = await options.authenticator.authenticate(headers)
        request.caller(caller.kind)
        return createContext(options.sources, caller)
      } catch (error) {
        throw asRequestError(error)
      }
    },
    maskedErrors: { maskError: toldOf },
    graphqlEndpoint: '/graphql',
    healthCheckEndpoint: '/health',
    cors: (request) => {
      const origin = request.headers.get('origin') ?? ''
      return options.corsOrigins.includes(origin) ? { origin: [origin], credentials: true } : false
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
