import { Kind, type SelectionSetNode } from 'graphql'
import type { Shape } from './shape.ts'

/**
 * How many pairs of fields validation would have to compare, because they answer under the same name, together with
 * the fields it comes across and the pairs of fragments side by side. Stops counting above `most`. The document must
 * have no circular fragments.
 *
 * Validation compares each pair, so 2,000 times the same field is two million comparisons; the library gives up at some
 * point, but after many times the work of a usual request.
 */
export function comparisonsIn({ fragments, operations }: Shape, most: number): number {
  let comparisons = 0

  const inMerged = (sets: readonly SelectionSetNode[]): void => {
    const counts = new Map<string, number>()
    const below = new Map<string, SelectionSetNode[]>()
    const spread = new Set<string>()
    const collect = ({ selections }: SelectionSetNode): void => {
      for (const selection of selections) {
        if (selection.kind === Kind.FIELD) {
          const name = (selection.alias ?? selection.name).value
          counts.set(name, (counts.get(name) ?? 0) + 1)
          if (!selection.selectionSet) continue
          const known = below.get(name)
          if (known) known.push(selection.selectionSet)
          else below.set(name, [selection.selectionSet])
        } else if (selection.kind === Kind.INLINE_FRAGMENT) {
          collect(selection.selectionSet)
        } else if (!spread.has(selection.name.value)) {
          spread.add(selection.name.value)
          const fragment = fragments.get(selection.name.value)
          if (fragment) collect(fragment.selectionSet)
        }
      }
    }

    for (const set of sets) collect(set)
    comparisons += pairsOf(spread.size)
    for (const count of counts.values()) comparisons += count + pairsOf(count)
    for (const sets of below.values()) {
      if (comparisons > most) return
      inMerged(sets)
    }
  }

  for (const { selectionSet } of [...operations, ...fragments.values()])
    if (comparisons <= most) inMerged([selectionSet])
  return comparisons
}

function pairsOf(count: number): number {
  return (count * (count - 1)) / 2
}
