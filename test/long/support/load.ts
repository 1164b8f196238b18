export interface Measured {
  readonly requests: number
  /** How many of the answers came from the cache. */
  readonly cached: number
  readonly p50: number
  readonly p99: number
  readonly longest: number
  /** What was wrong with answers, the first of them. */
  readonly wrong: readonly string[]
}

/** What one request found out. */
export interface Outcome {
  readonly cached: boolean
  readonly wrong: string | null
}

/** So many ask at the same time, each one question after the other, for so long. Latencies are in milliseconds. */
export async function underLoad(
  options: { readonly askers: number; readonly milliseconds: number },
  ask: () => Promise<Outcome>,
): Promise<Measured> {
  const waits: number[] = []
  const wrong: string[] = []
  let cached = 0
  const end = performance.now() + options.milliseconds
  const asker = async () => {
    while (performance.now() < end) {
      const begun = performance.now()
      const outcome = await ask()
      waits.push(performance.now() - begun)
      if (outcome.cached) cached += 1
      if (outcome.wrong !== null) wrong.push(outcome.wrong)
    }
  }
  await Promise.all(Array.from({ length: options.askers }, asker))
  waits.sort((a, b) => a - b)
  const quantile = (share: number) => Math.round(waits[Math.floor(waits.length * share)] ?? 0)
  return {
    requests: waits.length,
    cached,
    p50: quantile(0.5),
    p99: quantile(0.99),
    longest: Math.round(waits.at(-1) ?? 0),
    wrong: wrong.slice(0, 5),
  }
}
