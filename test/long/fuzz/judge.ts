import { describeGateway } from '../../../src/http/about.ts'
import { findSecret } from '../../support/planted.ts'
import type { Answered } from './send.ts'

const codes: readonly unknown[] = [
  'UNAUTHENTICATED',
  'FORBIDDEN',
  'BAD_USER_INPUT',
  'BAD_REQUEST',
  'READ_ONLY',
  'LIMIT_EXCEEDED',
  'RATE_LIMITED',
  'PERSISTED_QUERY_NOT_FOUND',
  'PERSISTED_QUERY_NOT_SUPPORTED',
  'PERSISTED_QUERY_ID_REQUIRED',
  'GRAPHQL_PARSE_FAILED',
  'GRAPHQL_VALIDATION_FAILED',
  'UNAVAILABLE',
  'TIMEOUT',
]

/** HTTP says all there is to say: no content, no such path, method, media type, or header too large. */
const withoutBody = [200, 204, 400, 404, 405, 406, 415, 421, 431]

/** Words of drivers and stacks that no request holds, so that they are not quoted from one either. */
const inside =
  /[Pp]risma|queryRaw|node_modules|\bat (?:async|file:)|ECONN[A-Z]|SQLSTATE|relation \\"|syntax error at or/

/** What is wrong with an answer, `null` when nothing is. INTERNAL is a fault of ours, whatever was asked. */
export function faultOf({ status, type, headers, text }: Answered): string | null {
  const secret = findSecret(text) ?? findSecret(headers)
  if (secret !== null) return `a secret: ${secret}`
  if (inside.test(text)) return 'a name of the inside'
  if (status >= 500 && status !== 503) return `status ${status}`
  if (text === '') return withoutBody.includes(status) ? null : `status ${status} without a body`
  if (/text\/event-stream|multipart/.test(type)) return faultOfStream(text)
  if (!type.includes('json'))
    return withoutBody.includes(status) ? null : `status ${status} of ${type}`
  return faultOfJson(text)
}

function faultOfStream(text: string): string | null {
  const parts = text.split(/\r?\n/).filter((line) => /^(data: ?)?[[{]/.test(line))
  for (const part of parts) {
    const fault = faultOfJson(part.replace(/^data: ?/, ''))
    if (fault !== null) return fault
  }
  return parts.length === 0 ? 'a stream without an answer' : null
}

/** What `GET /` says. */
const about = describeGateway('/graphql', false).json

function faultOfJson(text: string): string | null {
  if (text === about) return null
  const answers: unknown = JSON.parse(text)
  for (const answer of Array.isArray(answers) ? answers : [answers]) {
    const { data, errors = [] } = answer as { data?: unknown; errors?: readonly unknown[] }
    if (data === undefined && errors.length === 0) return 'neither data nor errors'
    for (const error of errors) {
      const { extensions } = error as { extensions?: { code?: unknown } }
      if (!codes.includes(extensions?.code)) return `the code ${extensions?.code}`
    }
  }
  return null
}
