import { badRequest } from './errors.ts'
import type { TrustedDocuments } from './trusted.ts'

/** One operation as a client asks for it, in the words of GraphQL over HTTP. */
export interface Asked {
  readonly query: string
  readonly operationName: string | undefined
  readonly variables: Readonly<Record<string, unknown>>
}

const parameters = ['query', 'operationName', 'variables', 'extensions']

/**
 * Reads the parameters that a client sent. Where only trusted documents are answered, the document is one of these, and
 * parameters beside the usual ones may name it.
 * @throws GraphQLError BAD_REQUEST or PERSISTED_QUERY_NOT_FOUND
 */
export function readAsked(sent: unknown, trusted: TrustedDocuments | null): Asked {
  if (!isObject(sent)) throw refusal(`An operation must be an object, and not ${kindOf(sent)}.`)
  const { operationName, variables, extensions } = sent
  const query = trusted ? trusted.find(sent) : sent.query
  const unknown = Object.keys(sent).find((name) => sent[name] != null && !parameters.includes(name))
  if (unknown !== undefined && !trusted) throw refusal(`The parameter "${unknown}" is not known.`)
  if (query == null) throw refusal('The parameter "query" is missing.', { spec: true })
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
