import type { TypedDocumentString } from './gql/graphql.ts'

/** Asks the gateway in the name of whoever sent the request. Documents are sent by their hash. */
export async function ask<Result, Variables>(
  gateway: { readonly url: string; readonly authorization: string },
  document: TypedDocumentString<Result, Variables>,
  variables: Variables,
): Promise<Result> {
  const response = await fetch(gateway.url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: gateway.authorization },
    body: JSON.stringify({ documentId: document.__meta__?.hash, variables }),
  })
  const { data, errors } = (await response.json()) as { data?: Result; errors?: unknown }
  if (!data || errors) throw new Error(`The gateway did not answer: ${JSON.stringify(errors)}`)
  return data
}
