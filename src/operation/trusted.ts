import { usePersistedOperations } from '@graphql-yoga/plugin-persisted-operations'
import { type GraphQLSchema, getOperationAST, parse, validate } from 'graphql'
import type { GraphQLParams, Plugin } from 'graphql-yoga'
import { GatewayError } from '../domain/errors.ts'
import { requestError } from './errors.ts'

/** Documents by their hashes, without the name of an algorithm before them. */
export type TrustedDocuments = ReadonlyMap<string, string>

/**
 * Reads what graphql-codegen's client preset writes as `persisted-documents.json`: `{ "<hash>": "<document>" }`, a hash
 * with or without `sha256:` before it.
 * @throws Error naming every document that does not fit the graph, and why.
 */
export function parseTrustedDocuments(
  documents: Readonly<Record<string, string>>,
  schema: GraphQLSchema,
): TrustedDocuments {
  const problems = Object.entries(documents).flatMap(([hash, text]) =>
    problemsOf(text, schema).map((problem) => `${hash}: ${problem}`),
  )
  if (problems.length > 0) throw new Error(problems.join('\n'))
  return new Map(Object.entries(documents).map(([hash, text]) => [bare(hash), text]))
}

/** What each document calls its operation, by the document: names of a closed set, for logs and metrics. */
export function operationNames(documents: TrustedDocuments | null): ReadonlyMap<string, string> {
  const named = [...(documents?.values() ?? [])].map(
    (text) => [text, getOperationAST(parse(text))?.name?.value] as const,
  )
  return new Map(named.flatMap(([text, name]) => (name === undefined ? [] : [[text, name]])))
}

/**
 * Answers these documents and no others. Clients name one by `documentId` or by
 * `extensions.persistedQuery.sha256Hash`, a hash with or without `sha256:` before it.
 */
export function useTrustedDocuments(documents: TrustedDocuments): Plugin {
  const refuse = (message: string) => () =>
    requestError(new GatewayError('PERSISTED_QUERY_NOT_FOUND', message), badRequest)
  const { onParams, ...rest } = usePersistedOperations({
    extractPersistedOperationId: (params, request) => nameIn(params) ?? nameInAddress(request),
    getPersistedOperation: (name) => documents.get(bare(name)) ?? null,
    customErrors: {
      notFound: refuse('PersistedQueryNotFound'),
      keyNotFound: refuse('Name a trusted document: only those are answered here.'),
      persistedQueryOnly: refuse('Only trusted documents are answered here, by their hash.'),
    },
  })
  return {
    ...rest,
    // What is no operation at all is refused by Yoga, and not known to the library.
    onParams: (payload) =>
      Object(payload.params) === payload.params ? onParams?.(payload) : undefined,
  }
}

/** `application/json` keeps 200, as clients that speak of persisted queries expect. */
const badRequest = { status: 400, spec: true } as const

function bare(hash: string): string {
  return hash.replace(/^sha256:/, '')
}

function problemsOf(text: string, schema: GraphQLSchema): readonly string[] {
  try {
    const document = parse(text)
    const changes = document.definitions.some(
      (definition) => 'operation' in definition && definition.operation !== 'query',
    )
    if (changes) return ['This graph answers queries alone.']
    return validate(schema, document).map(({ message }) => message)
  } catch (error) {
    return [error instanceof Error ? error.message : String(error)]
  }
}

function nameIn(params: GraphQLParams & { readonly documentId?: unknown }): string | null {
  const hash: unknown = params.extensions?.persistedQuery?.sha256Hash
  const name = params.documentId ?? hash
  return typeof name === 'string' ? name : null
}

/** Of a GET request, only the parameters that GraphQL always had are parsed. */
function nameInAddress({ method, url }: Request): string | null {
  return method === 'GET' ? new URL(url).searchParams.get('documentId') : null
}
