import { randomUUID } from 'node:crypto'
import type { Head } from './head.ts'

/** What may be copied into a header, a log line and an answer: no spaces, no controls, no quotes. */
const WELL_FORMED = /^[\w.:-]{8,128}$/
const TRACE_PARENT = /^[\da-f]{2}-(?!0{32})([\da-f]{32})-[\da-f]{16}-[\da-f]{2}$/

/**
 * The id by which a request is known to everybody it passes through: that of its X-Request-Id header, or the trace of
 * its traceparent, if they are well-formed; else a new one.
 */
export function requestIdOf({ header }: Pick<Head, 'header'>): string {
  const given = header('x-request-id')
  if (given !== undefined && WELL_FORMED.test(given)) return given
  return TRACE_PARENT.exec(header('traceparent') ?? '')?.[1] ?? randomUUID()
}
