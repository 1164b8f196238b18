/** Choices that are the same for the same seed. */
export interface Random {
  /** A whole number, both ends included. */
  between(least: number, most: number): number
  chance(probability: number): boolean
  one<Item>(items: readonly Item[]): Item | undefined
  /** Different ones, in any order; all of them when there are no more. */
  some<Item>(items: readonly Item[], count: number): Item[]
}

export function randomFrom(seed: number): Random {
  let state = seed >>> 0
  // Mulberry32
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0
    let bits = Math.imul(state ^ (state >>> 15), state | 1)
    bits ^= bits + Math.imul(bits ^ (bits >>> 7), bits | 61)
    return ((bits ^ (bits >>> 14)) >>> 0) / 2 ** 32
  }
  const between = (least: number, most: number) => least + Math.floor(next() * (most - least + 1))
  return {
    between,
    chance: (probability) => next() < probability,
    one: (items) => items[between(0, items.length - 1)],
    some(items, count) {
      const left = [...items]
      return Array.from({ length: Math.min(count, items.length) }, () =>
        left.splice(between(0, left.length - 1), 1),
      ).flat()
    },
  }
}
