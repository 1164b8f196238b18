const BELIEVED_MS = 60_000

/** Asks what hardly ever changes, such as whether there is an index, once a minute at most; a failure is not remembered. */
export function believed<Answer>(ask: () => Promise<Answer>): () => Promise<Answer> {
  let known: Promise<Answer> | undefined
  let askedAt = Number.NEGATIVE_INFINITY
  return () => {
    if (known && performance.now() - askedAt < BELIEVED_MS) return known
    askedAt = performance.now()
    known = ask().catch((error: unknown) => {
      known = undefined
      throw error
    })
    return known
  }
}
