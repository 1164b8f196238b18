import {
  type ASTVisitor,
  type FragmentDefinitionNode,
  GraphQLError,
  Kind,
  type SelectionNode,
  type SelectionSetNode,
  type ValidationContext,
} from 'graphql'

/**
 * What is subscribed to is not decided by `@skip` or `@include`, as the specification has it since 2025. The library throws
 * where nothing is left.
 */
export function UnconditionalSubscriptionsRule(context: ValidationContext): ASTVisitor {
  return {
    OperationDefinition({ operation, selectionSet }) {
      if (operation !== 'subscription') return
      const conditional = selectionsIn(context, selectionSet, new Set()).find(isConditional)
      if (conditional) context.reportError(new GraphQLError(CONDITIONAL, { nodes: conditional }))
    },
  }
}

/** With those of fragments, each once. */
function selectionsIn(
  context: ValidationContext,
  { selections }: SelectionSetNode,
  seen: Set<FragmentDefinitionNode>,
): readonly SelectionNode[] {
  return selections.flatMap((selection) => {
    if (selection.kind === Kind.FIELD) return [selection]
    if (selection.kind === Kind.INLINE_FRAGMENT)
      return [selection, ...selectionsIn(context, selection.selectionSet, seen)]
    const fragment = context.getFragment(selection.name.value)
    if (!fragment || seen.has(fragment)) return [selection]
    seen.add(fragment)
    return [selection, ...selectionsIn(context, fragment.selectionSet, seen)]
  })
}

function isConditional({ directives = [] }: SelectionNode): boolean {
  return directives.some(({ name }) => name.value === 'skip' || name.value === 'include')
}

const CONDITIONAL = 'What is subscribed to may not be under @skip or @include.'
