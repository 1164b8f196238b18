import type { Layout } from '../layout/layout.ts'
import type { Database } from './client.ts'
import { describeDrift, findDrift } from './drift.ts'

/** What is asked of the catalog is believed for this long, so a change shows this long after it at the latest. */
const BELIEVED_MS = 5000

export interface DriftWatchOptions {
  /** Answers what is wrong in one sentence, or `null`. Rejects when the database cannot be asked. */
  readonly find: () => Promise<string | null>
  /** Told when what is wrong changes: a sentence, or `null` when nothing is wrong any more. */
  readonly onChange: (problem: string | null) => void
  /** In milliseconds, never running backwards. */
  readonly now?: () => number
}

/** Watches whether a database is as the layout says. */
export function watchDrift(
  database: Pick<Database, 'read'>,
  layout: Layout,
  schema: string,
  onChange: DriftWatchOptions['onChange'],
): DriftWatch {
  return new DriftWatch({
    find: async () => describeDrift(await findDrift(database, layout, schema)),
    onChange,
  })
}

/** What is wrong with the database, looked up at most every five seconds however often it is asked for. */
export class DriftWatch {
  readonly #options: DriftWatchOptions
  #found: { readonly problem: string | null; readonly atMs: number } | undefined
  #finding: Promise<string | null> | undefined

  constructor(options: DriftWatchOptions) {
    this.#options = options
  }

  /** @throws GatewayError when the database cannot be asked and was not lately. */
  findProblem(): Promise<string | null> {
    if (this.#found && this.#now() - this.#found.atMs < BELIEVED_MS)
      return Promise.resolve(this.#found.problem)
    this.#finding ??= this.#find().finally(() => {
      this.#finding = undefined
    })
    return this.#finding
  }

  /** Whether nothing is wrong; a database that cannot be asked is not known to be right. */
  async isRight(): Promise<boolean> {
    return (await this.findProblem().catch(() => undefined)) === null
  }

  async #find(): Promise<string | null> {
    const atMs = this.#now()
    const problem = await this.#options.find()
    if (problem !== (this.#found?.problem ?? null)) this.#options.onChange(problem)
    this.#found = { problem, atMs }
    return problem
  }

  #now(): number {
    return this.#options.now?.() ?? performance.now()
  }
}
