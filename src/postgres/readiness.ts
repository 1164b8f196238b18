import type { Database } from './client.ts'
import { describeAway } from './unreachable.ts'

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
  /** Whether it answers, whatever it is like. */
  answers(): Promise<boolean>
  /** Whether it answers and is as the layout says, with nothing read beforehand. */
  fits(): Promise<boolean>
  /** Why it is not ready, in words that anybody may read: they name nothing of the database. `null` when it is. */
  findObstacle(): Promise<string | null>
  /**
   * Asks the database whether it is as the layout says. A database that does not answer is no reason to give up.
   * @throws Error in one sentence that says what differs and which command helps.
   */
  verify(): Promise<void>
  /** Looks whether it answers, because somebody found that it does not; while it does not, looks again by itself. */
  look(): void
  /** Looks no more. */
  close(): void
}

const PAUSE_MS = 2000

export function createReadiness(
  { ping }: Pick<Database, 'ping'>,
  { findProblem, warmUp, onAway, onBack }: ReadinessOptions,
): Readiness {
  let warmed: Promise<void> | undefined
  let away = false
  let closed = false
  let next: NodeJS.Timeout | undefined
  const ask = async (): Promise<Found> => {
    try {
      await ping()
      const problem = await findProblem()
      if (away) onBack()
      away = false
      return { problem }
    } catch (error) {
      if (!away && !closed) onAway(error)
      away = true
      clearTimeout(next)
      if (!closed) next = setTimeout(find, PAUSE_MS).unref()
      return { error }
    }
  }
  let asking: Promise<Found> | undefined
  const find = (): Promise<Found> => {
    asking ??= ask().finally(() => {
      asking = undefined
    })
    return asking
  }
  const findObstacle = async () => {
    const found = await find()
    if ('error' in found) return `The database cannot be asked. ${describeAway(found.error)}`
    if (found.problem !== null) return 'The database is not as it should be.'
    warmed ??= warmUp()
    await warmed
    return null
  }
  return {
    ready: async () => (await findObstacle()) === null,
    answers: async () => !('error' in (await find())),
    fits: async () => {
      const found = await find()
      return 'problem' in found && found.problem === null
    },
    findObstacle,
    verify: async () => {
      const found = await find()
      if ('problem' in found && found.problem) throw new Error(found.problem)
    },
    look: () => void find(),
    close: () => {
      closed = true
      clearTimeout(next)
    },
  }
}

type Found = { readonly problem: string | null } | { readonly error: unknown }
