import { badRequest, requestError } from '../operation/errors.ts'
import { documentNames } from '../operation/trusted.ts'

/** What begins another value in JSON, also as forms write it. Documents contain the same characters. */
const BEGINNING = /[,[{]|%(?:2c|5b|7b)/gi

/**
 * Refuses a body of very many values before it is parsed: a hundred kilobytes of short names cost a parser of JSON four
 * times what a usual request costs in all, and the same length in one text next to nothing.
 * @throws GraphQLError LIMIT_EXCEEDED
 */
export function checkValues(body: string, most: number): void {
  if (body.length <= most) return
  BEGINNING.lastIndex = 0
  for (let count = 0; BEGINNING.test(body); count++)
    if (count === most) {
      const message = `A request takes at most ${most} values.`
      throw requestError('LIMIT_EXCEEDED', message, { status: 413 })
    }
}

/** What is told of a body that came compressed. */
export function compressedBody() {
  return badRequest(415, 'A compressed body is not understood.', {
    headers: { 'accept-encoding': 'identity' },
  })
}

/** @throws GraphQLError BAD_REQUEST or LIMIT_EXCEEDED */
export function parseBody(body: string, mostValues: number): unknown {
  return parseJson(body, mostValues, 'POST body sent invalid JSON.')
}

/** @throws GraphQLError BAD_REQUEST, with this complaint, or LIMIT_EXCEEDED */
export function parseJson(text: string, mostValues: number, complaint: string): unknown {
  checkValues(text, mostValues)
  try {
    return JSON.parse(text)
  } catch {
    throw badRequest(400, complaint)
  }
}

/** Of the variables and extensions of a request that is no body of JSON. */
export const NO_JSON = 'The parameters are not valid JSON.'

/** What these fields of a GET request or a form name a trusted document by. */
export function documentNamesIn(fields: URLSearchParams): object {
  return Object.fromEntries(documentNames.map((name) => [name, fields.get(name) ?? undefined]))
}

/** Those of 100 permission checks, and what is around them. */
const OF_VARIABLES = 500
/** A reference of a router has up to three fields, and routers send more of them than are answered. */
const OF_REFERENCE = 2 * 4
/** A long id in each of them, and the name of its type. */
const BYTES_OF_REFERENCE = 128

export interface Room {
  /** Of a document. */
  readonly tokens: number
  readonly bodyBytes: number
  /** Of entities, from routers. */
  readonly references: number
}

/** The most that an honest request has: values, and bytes of its body. */
export function roomOf({ tokens, bodyBytes, references }: Room) {
  return {
    // Of a document's tokens at most every other begins something.
    mostValues: Math.ceil(tokens / 2) + OF_VARIABLES + OF_REFERENCE * references,
    largestBodyBytes: bodyBytes + BYTES_OF_REFERENCE * references,
  }
}
