import { type FieldNode, type GraphQLResolveInfo, Kind, type SelectionSetNode } from 'graphql'

type Info = Pick<GraphQLResolveInfo, 'fieldNodes' | 'fragments'>

/** By the field of a document, which is the same for every request with that document. */
const known = new WeakMap<FieldNode, ReadonlySet<string>>()

/** Names of the fields that are selected below a field, at any depth and under any condition. */
export function namesBelow({ fieldNodes, fragments }: Info): ReadonlySet<string> {
  const [only, ...others] = fieldNodes
  if (only && others.length === 0) return namesOf(only, fragments)
  return new Set(fieldNodes.flatMap((node) => [...namesOf(node, fragments)]))
}

function namesOf(node: FieldNode, fragments: Info['fragments']): ReadonlySet<string> {
  const found = known.get(node)
  if (found) return found
  const names = new Set<string>()
  const spread = new Set<string>()
  const gather = (set: SelectionSetNode | undefined): void => {
    for (const selection of set?.selections ?? []) {
      if (selection.kind !== Kind.FRAGMENT_SPREAD) gather(selection.selectionSet)
      if (selection.kind === Kind.INLINE_FRAGMENT) continue
      const name = selection.name.value
      if (selection.kind === Kind.FIELD) names.add(name)
      else if (!spread.has(name)) {
        spread.add(name)
        gather(fragments[name]?.selectionSet)
      }
    }
  }
  gather(node.selectionSet)
  known.set(node, names)
  return names
}
