/** The closed set of codes a client may see in `extensions.code`. */
export type ErrorCode =
  | 'UNAUTHENTICATED'
  | 'FORBIDDEN'
  | 'BAD_USER_INPUT'
  | 'BAD_REQUEST'
  | 'READ_ONLY'
  | 'LIMIT_EXCEEDED'
  | 'RATE_LIMITED'
  | 'PERSISTED_QUERY_NOT_FOUND'
  | 'PERSISTED_QUERY_NOT_SUPPORTED'
  | 'PERSISTED_QUERY_ID_REQUIRED'
  | 'GRAPHQL_PARSE_FAILED'
  | 'GRAPHQL_VALIDATION_FAILED'
  | 'UNAVAILABLE'
  | 'TIMEOUT'
  | 'INTERNAL'

/** An error whose message may be shown to the client. The cause and the reason are for the log alone. */
export class GatewayError extends Error {
  override readonly name = 'GatewayError'
  readonly code: ErrorCode
  /** Which check refused, in a word of a closed set, so that the line of the request can say it. */
  readonly reason: string | undefined
  /** Fields of one answer that are refused alike, of which this is the first. */
  times = 1
  /** Whether these are so many that this error is told alone, with their number. */
  standsForAll = false
  /** The first of these, where this is another. */
  again: GatewayError | null = null
  /** What this was made of: one failure may be what many fields waited for, and the log is told of it once. */
  #origin: GatewayError = this

  constructor(code: ErrorCode, message: string, options?: ErrorOptions & { reason?: string }) {
    // Where a client is told no is of no interest, and finding it costs more than most fields; an answer may have hundreds.
    const { stackTraceLimit } = Error
    if (code !== 'INTERNAL') Error.stackTraceLimit = 0
    super(message, options)
    Error.stackTraceLimit = stackTraceLimit
    // A text, which is not made anew by whoever asks for it, as GraphQL does of each error.
    if (code !== 'INTERNAL') this.stack = `GatewayError: ${message}`
    this.code = code
    this.reason = options?.reason
  }

  get origin(): GatewayError {
    return this.#origin
  }

  /** The same for one field, which may have been thrown to others. */
  forOneField(): GatewayError {
    const { message, cause, reason } = this
    const error = new GatewayError(this.code, message, { cause, ...(reason && { reason }) })
    error.#origin = this.#origin
    return error
  }
}

/** Whether what is required is there: what it is refused with otherwise is FORBIDDEN. Other errors go on. */
export async function isPermitted(required: Promise<unknown>): Promise<boolean> {
  try {
    await required
    return true
  } catch (error) {
    if (error instanceof GatewayError && error.code === 'FORBIDDEN') return false
    throw error
  }
}
