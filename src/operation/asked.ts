import { badDocument, badRequest, requestError } from './errors.ts'
import { documentNames, persistedQueryOf, type TrustedDocuments } from './trusted.ts'

/** One operation as a client asks for it, in the words of GraphQL over HTTP. */
export interface Asked {
  readonly query: string
  readonly operationName: string | undefined
  readonly variables: Readonly<Record<string, unknown>>
}

const parameters: readonly string[] = ['query', 'operationName', 'variables', 'extensions']
const names: readonly string[] = documentNames

/**
 * Reads the parameters that a client sent. Where only trusted documents are answered, the document is one of these, and
 * parameters beside the usual ones may name it. Elsewhere a name beside the text changes nothing, so that clients do the
 * same in development and in production.
 * @throws GraphQLError BAD_REQUEST, PERSISTED_QUERY_NOT_FOUND, PERSISTED_QUERY_NOT_SUPPORTED or PERSISTED_QUERY_ID_REQUIRED
 */
export function readAsked(sent: unknown, trusted: TrustedDocuments | null): Asked {
  if (!isObject(sent)) throw refusal(`An operation must be an object, and not ${kindOf(sent)}.`)
  const { operationName, variables, extensions } = sent
  const query = trusted ? trusted.find(sent) : sent.query
  if (!trusted) checkNames(sent, query)
  if (query == null) throw missing(extensions)
  if (typeof query !== 'string')
    throw refusal(`The parameter "query" must be a string, and not ${kindOf(query)}.`)
  if (operationName != null && typeof operationName !== 'string')
    throw refusal(
      `The parameter "operationName" must be a string, and not ${kindOf(operationName)}.`,
    )
  if (variables != null && !isObject(variables))
    throw refusal(`The parameter "variables" must be an object, and not ${kindOf(variables)}.`)
  if (extensions != null && !isObject(extensions))
    throw refusal(`The parameter "extensions" must be an object, and not ${kindOf(extensions)}.`)
  return {
    query,
    operationName: operationName ?? undefined,
    variables: variables ?? {},
  }
}

/** @throws GraphQLError BAD_REQUEST unless all that is unusual is a name of the document whose text came as well. */
function checkNames(sent: Readonly<Record<string, unknown>>, query: unknown): void {
  for (const name of Object.keys(sent)) {
    if (sent[name] == null || parameters.includes(name)) continue
    if (!names.includes(name)) throw refusal(`The parameter "${name}" is not known.`)
    if (query == null)
      throw refusal(
        `The parameter "${name}" names a document, and no documents are listed here: send its text as "query".`,
      )
  }
}

/** Clients of automatic persisted queries wait for this very message, and send the text of every document after it. */
function missing(extensions: unknown) {
  return persistedQueryOf(extensions) === undefined
    ? refusal('The parameter "query" is missing.', { spec: true })
    : requestError('PERSISTED_QUERY_NOT_SUPPORTED', 'PersistedQueryNotSupported', badDocument)
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function kindOf(value: unknown): string {
  if (value === null) return 'null'
  return Array.isArray(value) ? 'a list' : `a ${typeof value}`
}

function refusal(message: string, more: { readonly spec?: true } = {}) {
  return badRequest(400, message, { ...more, headers: { allow: 'GET, POST' } })
}
