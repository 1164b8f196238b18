import {
  type ArgumentNode,
  type DirectiveNode,
  type DocumentNode,
  type FragmentDefinitionNode,
  Kind,
  type OperationDefinitionNode,
  type SelectionNode,
  type SelectionSetNode,
  type ValueNode,
} from 'graphql'

/** What can be counted in a document without knowing the graph. */
export interface DocumentShape {
  /** Fields above one another, fragments followed, or values in one another; introspection does not count. */
  readonly depth: number
  readonly fields: number
  readonly aliases: number
  readonly directives: number
  /** Operations and fragments. */
  readonly definitions: number
  readonly variables: number
  /** Arguments, and what is in lists and objects. */
  readonly values: number
  /** The most of one field or directive. */
  readonly arguments: number
  /** Whether a fragment contains itself; the depth is then that of one round. */
  readonly circular: boolean
}

/** Takes time in proportion to the document: each fragment is measured once, however often it is spread. */
export function shapeOf(document: DocumentNode): DocumentShape {
  const counts = new Counts()
  for (const definition of document.definitions)
    if (isExecutable(definition)) counts.addDefinition(definition)
  const { nesting, ...counted } = counts
  const { depth, circular } = depthOf(document)
  const definitions = document.definitions.length
  return { ...counted, definitions, circular, depth: Math.max(depth, nesting) }
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

class Counts {
  fields = 0
  aliases = 0
  directives = 0
  variables = 0
  values = 0
  arguments = 0
  /** Of values in one another. */
  nesting = 0

  addDefinition(definition: OperationDefinitionNode | FragmentDefinitionNode): void {
    this.#addDirectives(definition.directives)
    for (const { directives, defaultValue } of definition.variableDefinitions ?? []) {
      this.variables += 1
      this.#addDirectives(directives)
      if (defaultValue) this.#addValue(defaultValue, 1)
    }
    this.#addSet(definition.selectionSet)
  }

  #addSet({ selections }: SelectionSetNode): void {
    for (const selection of selections) {
      this.#addDirectives(selection.directives)
      if (selection.kind === Kind.FIELD) {
        this.fields += 1
        if (selection.alias) this.aliases += 1
        this.#addArguments(selection.arguments)
      }
      if (selection.kind !== Kind.FRAGMENT_SPREAD && selection.selectionSet)
        this.#addSet(selection.selectionSet)
    }
  }

  #addDirectives(directives: readonly DirectiveNode[] = []): void {
    this.directives += directives.length
    for (const directive of directives) this.#addArguments(directive.arguments)
  }

  #addArguments(args: readonly ArgumentNode[] = []): void {
    this.arguments = Math.max(this.arguments, args.length)
    for (const { value } of args) this.#addValue(value, 1)
  }

  #addValue(value: ValueNode, level: number): void {
    this.values += 1
    this.nesting = Math.max(this.nesting, level)
    if (value.kind === Kind.LIST) for (const entry of value.values) this.#addValue(entry, level + 1)
    else if (value.kind === Kind.OBJECT)
      for (const { value: entry } of value.fields) this.#addValue(entry, level + 1)
  }
}

function depthOf(document: DocumentNode): { depth: number; circular: boolean } {
  const fragments = fragmentsOf(document)
  const known = new Map<string, number>()
  let circular = false

  const ofSet = ({ selections }: SelectionSetNode): number => {
    let deepest = 0
    for (const selection of selections) deepest = Math.max(deepest, ofSelection(selection))
    return deepest
  }

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
