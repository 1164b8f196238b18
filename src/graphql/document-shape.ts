import {
  type DocumentNode,
  type FragmentDefinitionNode,
  Kind,
  type OperationDefinitionNode,
  type SelectionNode,
  type SelectionSetNode,
} from 'graphql'

/** What can be counted in a document without knowing the graph. */
export interface DocumentShape {
  /** Fields above one another, fragments followed; introspection does not count. */
  readonly depth: number
  readonly aliases: number
  readonly directives: number
  /** Whether a fragment contains itself; the depth is then that of one round. */
  readonly circular: boolean
}

/** Takes time in proportion to the document: each fragment is measured once, however often it is spread. */
export function shapeOf(document: DocumentNode): DocumentShape {
  const counts = { aliases: 0, directives: 0 }
  for (const definition of document.definitions)
    if (isExecutable(definition)) {
      counts.directives += definition.directives?.length ?? 0
      for (const variable of definition.variableDefinitions ?? [])
        counts.directives += variable.directives?.length ?? 0
      count(definition.selectionSet, counts)
    }
  return { ...counts, ...depthOf(document) }
}

export function fragmentsOf(document: DocumentNode): ReadonlyMap<string, FragmentDefinitionNode> {
  const fragments = document.definitions.filter(
    (definition) => definition.kind === Kind.FRAGMENT_DEFINITION,
  )
  return new Map(fragments.map((fragment) => [fragment.name.value, fragment]))
}

export function isExecutable(definition: {
  readonly kind: string
}): definition is OperationDefinitionNode | FragmentDefinitionNode {
  return (
    definition.kind === Kind.OPERATION_DEFINITION || definition.kind === Kind.FRAGMENT_DEFINITION
  )
}

function count(set: SelectionSetNode, counts: { aliases: number; directives: number }): void {
  for (const selection of set.selections) {
    counts.directives += selection.directives?.length ?? 0
    if (selection.kind === Kind.FIELD && selection.alias) counts.aliases += 1
    if ('selectionSet' in selection && selection.selectionSet) count(selection.selectionSet, counts)
  }
}

function depthOf(document: DocumentNode): { depth: number; circular: boolean } {
  const fragments = fragmentsOf(document)
  const known = new Map<string, number>()
  let circular = false

  const ofSet = (set: SelectionSetNode): number =>
    set.selections.reduce((deepest, selection) => Math.max(deepest, ofSelection(selection)), 0)

  const ofSelection = (selection: SelectionNode): number => {
    if (selection.kind === Kind.FRAGMENT_SPREAD) return ofFragment(selection.name.value)
    if (selection.kind === Kind.INLINE_FRAGMENT) return ofSet(selection.selectionSet)
    if (selection.name.value === '__schema' || selection.name.value === '__type') return 0
    return 1 + (selection.selectionSet ? ofSet(selection.selectionSet) : 0)
  }

  const underWay = new Set<string>()
  const ofFragment = (name: string): number => {
    const fragment = fragments.get(name)
    if (underWay.has(name)) circular = true
    if (!fragment || underWay.has(name)) return 0
    underWay.add(name)
    const depth = known.get(name) ?? ofSet(fragment.selectionSet)
    known.set(name, depth)
    underWay.delete(name)
    return depth
  }

  const depths = document.definitions
    .filter((definition) => definition.kind === Kind.OPERATION_DEFINITION)
    .map(({ selectionSet }) => ofSet(selectionSet))
  // One that no operation spreads may contain itself as well.
  for (const name of fragments.keys()) ofFragment(name)
  return { depth: Math.max(0, ...depths), circular }
}
