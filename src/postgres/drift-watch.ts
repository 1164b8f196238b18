/** What is asked of the catalog is believed for this long, so a change shows this long after it at the latest. */
const BELIEVED_MS = 5000

interface DriftWatchOptions {
  /** Answers what is wrong in one sentence, or `null`. Rejects when the database cannot be asked. */
  readonly find: () => Promise<string | null>
  /** Told when what is wrong changes: a sentence, or `null` when nothing is wrong any more. */
  readonly onChange: (problem: string | null) => void
  /** In milliseconds, never running backwards. */
  readonly now?: () => number
}

/**
 * What is wrong with the database, looked up at most every five seconds however often it is asked for. Rejects when the
 * database cannot be asked and was not lately.
 */
export function watchDrift({
  find,
  onChange,
  now = () => performance.now(),
}: DriftWatchOptions): () => Promise<string | null> {
  let found: { readonly problem: string | null; readonly atMs: number } | undefined
  let finding: Promise<string | null> | undefined
  const look = async () => {
    const atMs = now()
    const problem = await find()
    if (problem !== (found?.problem ?? null)) onChange(problem)
    found = { problem, atMs }
    return problem
  }
  return async () => {
    if (found && now() - found.atMs < BELIEVED_MS) return found.problem
    finding ??= look().finally(() => {
      finding = undefined
    })
    return finding
  }
}
