import type { Database } from './client.ts'

interface ReadinessOptions {
  /** Answers how the database differs from the layout in one sentence, or `null`. Rejects when it cannot be asked. */
  readonly findProblem: () => Promise<string | null>
  /** Reads once what requests read, before the first of them. Never rejects. */
  readonly warmUp: () => Promise<void>
  /** Told when the database cannot be asked at start. */
  readonly onUnreachable: (error: unknown) => void
}

export interface Readiness {
  /**
   * Whether the database answers and is as the layout says; a change shows within five seconds. The first time it is, what
   * requests read is read once beforehand.
   */
  ready(): Promise<boolean>
  /**
   * Asks the database whether it is as the layout says. A database that does not answer is no reason to give up.
   * @throws Error in one sentence that says what differs and which command helps.
   */
  verify(): Promise<void>
}

export function createReadiness(
  { ping }: Pick<Database, 'ping'>,
  { findProblem, warmUp, onUnreachable }: ReadinessOptions,
): Readiness {
  let warmed: Promise<void> | undefined
  return {
    ready: async () => {
      const problem = await ping()
        .then(findProblem)
        .catch(() => undefined)
      if (problem !== null) return false
      warmed ??= warmUp()
      await warmed
      return true
    },
    verify: async () => {
      const problem = await findProblem().catch((error: unknown) => {
        onUnreachable(error)
        return null
      })
      if (problem !== null) throw new Error(problem)
    },
  }
}
