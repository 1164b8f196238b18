import type { ExecutionResult } from 'graphql'
import type { ErrorCode } from '../domain/errors.ts'
import type { HttpAnswer } from '../operation/errors.ts'

/** An answer of HTTP. */
export interface Reply {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

const json = { 'content-type': 'application/json' }
const text = { 'content-type': 'text/plain; charset=utf-8' }

export function replyWith(answer: object): Reply {
  return { status: 200, headers: json, body: JSON.stringify(answer) }
}

/** Of errors as clients are told of them: the message of the first, which is all that the specification has of one. */
export function refuseWith({ errors: [error] = [] }: Pick<ExecutionResult, 'errors'>): Reply {
  const { code, http } = (error?.extensions ?? {}) as {
    readonly code?: ErrorCode
    readonly http?: HttpAnswer
  }
  const { status = statusOf(code), headers = {} } = http ?? {}
  return { status, headers: { ...text, ...headers }, body: `${error?.message}\n` }
}

function statusOf(code: ErrorCode | undefined): number {
  switch (code) {
    case 'UNAUTHENTICATED':
      return 401
    case 'FORBIDDEN':
      return 403
    case 'INTERNAL':
    case undefined:
      return 500
    default:
      return 400
  }
}
