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
export interface Shape {
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
  readonly fragments: Fragments
  readonly operations: readonly OperationDefinitionNode[]
  /** Fields of all operations with fragments written out where they are spread. */
  readonly expandedFields: number
  /** Whether a field or fragment stands under a condition such as `@skip`. */
  readonly conditions: boolean
  /** Names of variables that stand inside of a list or an object. */
  readonly nestedVariables: readonly string[]
}

/** Takes time in proportion to the document: each fragment is walked once, however often it is spread. */
export function shapeOf(document: DocumentNode): Shape {
  return new Walk(document).toShape()
}

/** Of a selection set, with what its fragments add. */
interface Extent {
  readonly depth: number
  readonly fields: number
}

const NOTHING: Extent = { depth: 0, fields: 0 }

class Walk {
  readonly #fragments = new Map<string, FragmentDefinitionNode>()
  readonly #operations: OperationDefinitionNode[] = []
  readonly #walked = new Map<string, Extent>()
  readonly #underWay = new Set<string>()
  readonly #nested = new Set<string>()
  readonly #whole: Extent
  readonly #definitions: number
  readonly #counts = { fields: 0, aliases: 0, directives: 0, variables: 0, values: 0, arguments: 0 }
  #valueDepth = 0
  #circular = false
  #conditions = false

  constructor({ definitions }: DocumentNode) {
    this.#definitions = definitions.length
    for (const definition of definitions)
      if (definition.kind === Kind.OPERATION_DEFINITION) this.#operations.push(definition)
      else if (definition.kind === Kind.FRAGMENT_DEFINITION)
        this.#fragments.set(definition.name.value, definition)
    const operations = this.#operations.map((operation) => this.#ofDefinition(operation))
    // What no operation spreads is counted as well, and may contain itself: also a second fragment of one name.
    for (const definition of definitions)
      if (definition.kind === Kind.FRAGMENT_DEFINITION) {
        const name = definition.name.value
        if (this.#fragments.get(name) === definition) this.#ofFragment(name)
        else this.#ofDefinition(definition)
      }
    this.#whole = {
      depth: Math.max(0, ...operations.map(({ depth }) => depth)),
      fields: operations.reduce((sum, { fields }) => sum + fields, 0),
    }
  }

  toShape(): Shape {
    return {
      depth: Math.max(this.#whole.depth, this.#valueDepth),
      ...this.#counts,
      definitions: this.#definitions,
      circular: this.#circular,
      fragments: this.#fragments,
      operations: this.#operations,
      expandedFields: this.#whole.fields,
      conditions: this.#conditions,
      nestedVariables: [...this.#nested],
    }
  }

  #ofDefinition(definition: OperationDefinitionNode | FragmentDefinitionNode): Extent {
    this.#addDirectives(definition.directives)
    for (const { directives, defaultValue } of definition.variableDefinitions ?? []) {
      this.#counts.variables += 1
      this.#addDirectives(directives)
      if (defaultValue) this.#addValue(defaultValue, 1)
    }
    return this.#ofSet(definition.selectionSet)
  }

  #ofFragment(name: string): Extent {
    const fragment = this.#fragments.get(name)
    if (this.#underWay.has(name)) this.#circular = true
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
    if (selection.directives?.length) this.#conditions = true
    this.#addDirectives(selection.directives)
    if (selection.kind === Kind.FRAGMENT_SPREAD) return this.#ofFragment(selection.name.value)
    if (selection.kind === Kind.INLINE_FRAGMENT) return this.#ofSet(selection.selectionSet)
    this.#counts.fields += 1
    if (selection.alias) this.#counts.aliases += 1
    this.#addArguments(selection.arguments)
    const below = selection.selectionSet ? this.#ofSet(selection.selectionSet) : NOTHING
    const isIntrospection = ['__schema', '__type'].includes(selection.name.value)
    return { depth: isIntrospection ? 0 : 1 + below.depth, fields: 1 + below.fields }
  }

  #addDirectives(directives: readonly DirectiveNode[] = []): void {
    this.#counts.directives += directives.length
    for (const directive of directives) this.#addArguments(directive.arguments)
  }

  #addArguments(args: readonly ArgumentNode[] = []): void {
    this.#counts.arguments = Math.max(this.#counts.arguments, args.length)
    for (const { value } of args) this.#addValue(value, 1)
  }

  #addValue(value: ValueNode, level: number): void {
    this.#counts.values += 1
    this.#valueDepth = Math.max(this.#valueDepth, level)
    if (value.kind === Kind.VARIABLE && level > 1) this.#nested.add(value.name.value)
    if (value.kind === Kind.LIST) for (const entry of value.values) this.#addValue(entry, level + 1)
    if (value.kind === Kind.OBJECT)
      for (const { value: entry } of value.fields) this.#addValue(entry, level + 1)
  }
}
