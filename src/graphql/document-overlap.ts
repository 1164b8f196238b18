import {
  type DocumentNode,
  type FieldNode,
  type FragmentDefinitionNode,
  Kind,
  type SelectionSetNode,
} from 'graphql'
import { fragmentsOf, isExecutable } from './document-shape.ts'

/**
 * How many pairs of fields validation would have to compare, because they answer under the same name, together with
 * the fields it comes across and the pairs of fragments side by side. Stops counting above `most`. The document must have no circular fragments.
 *
 * Validation compares each pair, so 2,000 times the same field is two million comparisons; the library gives up at some
 * point, but after many times the work of a usual request.
 */
export function comparisonsIn(document: DocumentNode, most: number): number {
  const fragments = fragmentsOf(document)
  let comparisons = 0

  const inMerged = (sets: readonly SelectionSetNode[]): void => {
    const byName = new Map<string, FieldNode[]>()
    const spread = new Set<string>()
    for (const set of sets) collect(set, byName, spread, fragments)
    comparisons += pairsOf(spread.size)
    for (const { length } of byName.values()) comparisons += length + pairsOf(length)
    for (const fields of byName.values()) {
      if (comparisons > most) return
      const below = fields.flatMap(({ selectionSet }) => selectionSet ?? [])
      if (below.length > 0) inMerged(below)
    }
  }

  for (const definition of document.definitions)
    if (isExecutable(definition) && comparisons <= most) inMerged([definition.selectionSet])
  return comparisons
}

function pairsOf(count: number): number {
  return (count * (count - 1)) / 2
}

function collect(
  set: SelectionSetNode,
  byName: Map<string, FieldNode[]>,
  spread: Set<string>,
  fragments: ReadonlyMap<string, FragmentDefinitionNode>,
): void {
  for (const selection of set.selections) {
    if (selection.kind === Kind.FIELD) {
      const name = (selection.alias ?? selection.name).value
      const fields = byName.get(name)
      if (fields) fields.push(selection)
      else byName.set(name, [selection])
    } else if (selection.kind === Kind.INLINE_FRAGMENT) {
      collect(selection.selectionSet, byName, spread, fragments)
    } else if (!spread.has(selection.name.value)) {
      spread.add(selection.name.value)
      const fragment = fragments.get(selection.name.value)
      if (fragment) collect(fragment.selectionSet, byName, spread, fragments)
    }
  }
}
