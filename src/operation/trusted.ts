import { type GraphQLSchema, getOperationAST, parse, validate } from 'graphql'
import { badDocument, requestError } from './errors.ts'

/** The parameters by which clients name a document, beside the hash of a persisted query: Relay's send the latter two. */
export const documentNames = ['documentId', 'doc_id', 'id'] as const

/** The documents that are answered, and no others. */
export class TrustedDocuments {
  /** By their hashes, without the name of an algorithm before them. */
  readonly #texts = new Map<string, string>()
  /** What each calls its operation: names of a closed set, for logs and metrics. */
  readonly #names = new Map<string, string>()

  /**
   * @param documents By the names that clients send; hashes with or without `sha256:` before them.
   * @throws Error naming every document that does not fit the graph, and why.
   */
  constructor(documents: Readonly<Record<string, string>>, schema: GraphQLSchema) {
    const problems = Object.entries(documents).flatMap(([hash, text]) =>
      problemsOf(text, schema).map((problem) => `${hash}: ${problem}`),
    )
    if (problems.length > 0) throw new Error(problems.join('\n'))
    for (const [hash, text] of Object.entries(documents)) {
      this.#texts.set(bare(hash), text)
      const name = getOperationAST(parse(text))?.name?.value
      if (name !== undefined) this.#names.set(text, name)
    }
  }

  /**
   * The text of the document that these parameters name, as `documentNames` or by the hash of a persisted query, with or
   * without `sha256:` before it.
   * @throws GraphQLError PERSISTED_QUERY_NOT_FOUND, after which clients send the text, or PERSISTED_QUERY_ID_REQUIRED, after
   * which they do not
   */
  find(asked: Readonly<Record<string, unknown>>): string {
    if (asked.query) throw idRequired('Only trusted documents are answered here, by their hash.')
    const name =
      documentNames.map((parameter) => asked[parameter]).find((value) => value != null) ??
      persistedQueryOf(asked.extensions)
    if (typeof name !== 'string')
      throw idRequired(
        `Name a trusted document, by ${documentNames.join(', ')} or extensions.persistedQuery: only those are answered here.`,
      )
    const text = this.#texts.get(bare(name))
    if (text === undefined)
      throw requestError('PERSISTED_QUERY_NOT_FOUND', 'PersistedQueryNotFound', badDocument)
    return text
  }

  nameOf(text: string): string | null {
    return this.#names.get(text) ?? null
  }
}

function bare(hash: string): string {
  return hash.replace(/^sha256:/, '')
}

/** The hash of a persisted query, as Apollo's and urql's clients send it. */
export function persistedQueryOf(extensions: unknown): unknown {
  const { persistedQuery } = Object(extensions) as { readonly persistedQuery?: unknown }
  return (Object(persistedQuery) as { readonly sha256Hash?: unknown }).sha256Hash
}

function idRequired(message: string) {
  return requestError('PERSISTED_QUERY_ID_REQUIRED', message, badDocument)
}

function problemsOf(text: string, schema: GraphQLSchema): readonly string[] {
  try {
    const document = parse(text)
    const changes = document.definitions.some(
      (definition) => 'operation' in definition && definition.operation === 'mutation',
    )
    if (changes) return ['This graph answers queries alone.']
    return validate(schema, document).map(({ message }) => message)
  } catch (error) {
    return [error instanceof Error ? error.message : String(error)]
  }
}
