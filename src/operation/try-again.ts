import type { ExecutionResult } from 'graphql'

const FIRST_PAUSE_MS = 500
const LONGEST_PAUSE_MS = 30_000
const TEMPORARY: readonly unknown[] = ['UNAVAILABLE', 'TIMEOUT', 'RATE_LIMITED']

/** After which to try again what failed for a reason that passes; `null`: it is to be told. */
export function pauseAfter({ errors = [] }: ExecutionResult, attempt: number): number | null {
  const failed = errors.find(({ extensions }) => TEMPORARY.includes(extensions.code))
  if (!failed) return null
  const http = failed.extensions.http as { headers?: Record<string, string> } | undefined
  const seconds = Number(http?.headers?.['retry-after'] ?? 0)
  return Math.min(Math.max(seconds * 1000, FIRST_PAUSE_MS * attempt), LONGEST_PAUSE_MS)
}
