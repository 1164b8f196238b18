import type { Database } from './client.ts'

interface ReadinessOptions {
  /** Answers how the database differs from the layout in one sentence, or `null`. Rejects when it cannot be asked. */
  readonly findProblem: () => Promise<string | null>
  /** Reads once what requests read, before the first of them. Never rejects. */
  readonly warmUp: () => Promise<void>
  /** Told once when the database cannot be asked, and not again before it could be. */
  readonly onAway: (error: unknown) => void
  /** Told when it can be asked again. */
  readonly onBack: () => void
}

export interface Readiness {
  /**
   * Whether the database answers and is as the layout says; a change shows within five seconds. The first time it is, what
   * requests read is read once beforehand.
   */
  ready(): Promise<boolean>
  /** Why it is not ready, in a sentence that anybody may read: it names nothing of the database. `null` when it is. */
  findObstacle(): Promise<string | null>
  /**
   * Asks the database whether it is as the layout says. A database that does not answer is no reason to give up.
   * @throws Error in one sentence that says what differs and which command helps.
   */
  verify(): Promise<void>
}

export function createReadiness(
  { ping }: Pick<Database, 'ping'>,
  { findProblem, warmUp, onAway, onBack }: ReadinessOptions,
): Readiness {
  let warmed: Promise<void> | undefined
  let away = false
  /** `undefined` when the database cannot be asked. */
  const find = async (): Promise<string | null | undefined> => {
    try {
      await ping()
      const problem = await findProblem()
      if (away) onBack()
      away = false
      return problem
    } catch (error) {
      if (!away) onAway(error)
      away = true
      return undefined
    }
  }
  const findObstacle = async () => {
    const problem = await find()
    if (problem === undefined) return 'The database cannot be asked.'
    if (problem !== null) return 'The database is not as it should be.'
    warmed ??= warmUp()
    await warmed
    return null
  }
  return {
    ready: async () => (await findObstacle()) === null,
    findObstacle,
    verify: async () => {
      const problem = await find()
      if (problem) throw new Error(problem)
    },
  }
}
