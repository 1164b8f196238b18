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

export type Fragments = ReadonlyMap<string, FragmentDefinitionNode>

/** What one walk over a document finds without knowing the graph. */
export type Shape = Readonly<Walk>

/** Takes time in proportion to the document: each fragment is walked once, however often it is spread. */
export function shapeOf(document: DocumentNode): Shape {
  return new Walk(document)
}

/** Of a selection set, with what its fragments add. */
interface Extent {
  readonly depth: number
  readonly fields: number
}

const NOTHING: Extent = { depth: 0, fields: 0 }

class Walk {
  /** Fields above one another, fragments followed, or values in one another; introspection does not count. */
  depth = 0
  fields = 0
  aliases = 0
  directives = 0
  /** Operations and fragments. */
  definitions: number
  variables = 0
  /** Arguments, and what is in lists and objects. */
  values = 0
  /** The most of one field or directive. */
  arguments = 0
  /** Whether a fragment contains itself; the depth is then that of one round. */
  circular = false
  fragments: Fragments
  operations: readonly OperationDefinitionNode[]
  /** Fields of all operations with fragments written out where they are spread. */
  expandedFields = 0
  /** Whether a field or fragment stands under a condition such as `@skip`. */
  conditions = false
  /** Names of variables that stand inside of a list or an object. */
  readonly nestedVariables = new Set<string>()
  readonly #walked = new Map<string, Extent>()
  readonly #underWay = new Set<string>()

  constructor({ definitions }: DocumentNode) {
    const fragments = definitions.filter((one) => one.kind === Kind.FRAGMENT_DEFINITION)
    this.definitions = definitions.length
    this.operations = definitions.filter((one) => one.kind === Kind.OPERATION_DEFINITION)
    this.fragments = new Map(fragments.map((fragment) => [fragment.name.value, fragment]))
    for (const operation of this.operations) {
      const { depth, fields } = this.#ofDefinition(operation)
      this.depth = Math.max(this.depth, depth)
      this.expandedFields += fields
    }
    // What no operation spreads is counted as well, and may contain itself: also a second fragment of one name.
    for (const fragment of fragments)
      if (this.fragments.get(fragment.name.value) === fragment)
        this.#ofFragment(fragment.name.value)
      else this.#ofDefinition(fragment)
  }

  #ofDefinition(definition: OperationDefinitionNode | FragmentDefinitionNode): Extent {
    this.#addDirectives(definition.directives)
    for (const { directives, defaultValue } of definition.variableDefinitions ?? []) {
      this.variables += 1
      this.#addDirectives(directives)
      if (defaultValue) this.#addValue(defaultValue, 1)
    }
    return this.#ofSet(definition.selectionSet)
  }

  #ofFragment(name: string): Extent {
    const fragment = this.fragments.get(name)
    if (this.#underWay.has(name)) this.circular = true
    if (!fragment || this.#underWay.has(name)) return NOTHING
    const known = this.#walked.get(name)
    if (known) return known
    this.#underWay.add(name)
    const extent = this.#ofDefinition(fragment)
    this.#underWay.delete(name)
    this.#walked.set(name, extent)
    return extent
  }

  #ofSet({ selections }: SelectionSetNode): Extent {
    let depth = 0
    let fields = 0
    for (const selection of selections) {
      const extent = this.#ofSelection(selection)
      depth = Math.max(depth, extent.depth)
      fields += extent.fields
    }
    return { depth, fields }
  }

  #ofSelection(selection: SelectionNode): Extent {
    if (selection.directives?.length) this.conditions = true
    this.#addDirectives(selection.directives)
    if (selection.kind === Kind.FRAGMENT_SPREAD) return this.#ofFragment(selection.name.value)
    if (selection.kind === Kind.INLINE_FRAGMENT) return this.#ofSet(selection.selectionSet)
    this.fields += 1
    if (selection.alias) this.aliases += 1
    this.#addArguments(selection.arguments)
    const below = selection.selectionSet ? this.#ofSet(selection.selectionSet) : NOTHING
    const isIntrospection = ['__schema', '__type'].includes(selection.name.value)
    return { depth: isIntrospection ? 0 : 1 + below.depth, fields: 1 + below.fields }
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
    this.depth = Math.max(this.depth, level)
    if (value.kind === Kind.VARIABLE && level > 1) this.nestedVariables.add(value.name.value)
    if (value.kind === Kind.LIST) for (const entry of value.values) this.#addValue(entry, level + 1)
    if (value.kind === Kind.OBJECT)
      for (const { value: entry } of value.fields) this.#addValue(entry, level + 1)
  }
}
