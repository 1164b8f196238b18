/**
 * Makes errors that are told to clients, of which nobody reads where they were made: finding that out costs more than the
 * rest of them.
 */
export function withoutStacks<Result>(work: () => Result): Result {
  const { stackTraceLimit } = Error
  Error.stackTraceLimit = 0
  try {
    return work()
  } finally {
    Error.stackTraceLimit = stackTraceLimit
  }
}
