import {
  type ArgumentNode,
  type FieldNode,
  type GraphQLField,
  type GraphQLNamedType,
  type GraphQLSchema,
  getNamedType,
  getNullableType,
  isCompositeType,
  isInterfaceType,
  isListType,
  isObjectType,
  Kind,
  type OperationDefinitionNode,
  SchemaMetaFieldDef,
  type SelectionSetNode,
  TypeMetaFieldDef,
  type ValueNode,
} from 'graphql'
import { DEFAULT_SIZE, LARGEST_SIZE } from '../domain/limits.ts'
import { introspectionSizes } from './introspection-sizes.ts'
import type { Fragments } from './shape.ts'

/** What a list without a page size counts, such as `accounts`, whose length only its rows say. */
const UNKNOWN_LENGTH = 20

interface Cost {
  /** Once. */
  readonly once: number
  /** For each entry of the page, in the selection of a connection. */
  readonly each: number
}

/**
 * The most nodes that the operation can answer with. A connection counts the entries of its page, for each of `nodes`
 * and `edges` that is selected and also when neither is, because the page is read all the same; a list by ids counts
 * them; other objects count one; connections, edges and PageInfo nothing of their own. Every alias is another field.
 * Takes time in proportion to the document, because each fragment is measured once: so what several fragments select
 * alike counts several times.
 *
 * Of the libraries, graphql-armor's cost-limit does not see page sizes in variables or by default, and
 * @pothos/plugin-complexity weighs only when the first resolver runs and needs a weight at each field.
 */
export function costOf(
  schema: GraphQLSchema,
  fragments: Fragments,
  operation: OperationDefinitionNode,
  variables: Readonly<Record<string, unknown>>,
) {
  const measured = new Map<string, Cost>()
  const sizes = introspectionSizes(schema)
  let byVariables = false

  /** Of literals and variables: what the client gave, else the default of the operation. */
  const valueIn = (node: ValueNode): unknown => {
    if (node.kind === Kind.INT) return Number(node.value)
    if (node.kind === Kind.LIST) return node.values
    if (node.kind !== Kind.VARIABLE) return undefined
    byVariables = true
    const name = node.name.value
    if (Object.hasOwn(variables, name)) return variables[name]
    const { defaultValue } =
      operation.variableDefinitions?.find((one) => one.variable.name.value === name) ?? {}
    return defaultValue && valueIn(defaultValue)
  }

  const ofSet = (set: SelectionSetNode, type: GraphQLNamedType): Cost => {
    const total = { once: 0, each: 0 }
    for (const selection of set.selections) {
      const cost =
        selection.kind === Kind.FIELD
          ? ofField(selection, type)
          : selection.kind === Kind.INLINE_FRAGMENT
            ? ofSet(selection.selectionSet, typeNamed(selection.typeCondition?.name.value, type))
            : ofFragment(selection.name.value, type)
      total.once += cost.once
      total.each += cost.each
    }
    return total
  }

  const ofFragment = (name: string, type: GraphQLNamedType): Cost => {
    const known = measured.get(name)
    const fragment = fragments.get(name)
    if (known || !fragment) return known ?? nothing
    // What contains itself is no valid document.
    measured.set(name, nothing)
    const cost = ofSet(fragment.selectionSet, typeNamed(fragment.typeCondition.name.value, type))
    measured.set(name, cost)
    return cost
  }

  const ofField = (node: FieldNode, parent: GraphQLNamedType): Cost => {
    const field = fieldOf(schema, parent, node.name.value)
    const type = field && getNamedType(field.type)
    // An alias is how to ask for the same leaf many times.
    if (!field || !isCompositeType(type)) return node.alias ? { once: 1, each: 0 } : nothing
    const below = node.selectionSet ? ofSet(node.selectionSet, type) : nothing
    if (isConnection(type)) {
      const size = pageSize(node.arguments ?? [], valueIn)
      return { once: below.once + size * Math.max(1, below.each), each: 0 }
    }
    if (isConnection(parent) && node.name.value === 'nodes')
      return { once: 0, each: 1 + below.once }
    if (isConnection(parent) && node.name.value === 'edges') return { once: 0, each: below.once }
    const own = type.name === 'PageInfo' && !node.alias ? 0 : 1
    const length = isListType(getNullableType(field.type))
      ? (sizes.get(`${parent.name}.${field.name}`) ??
        longestList(node.arguments ?? [], valueIn) ??
        UNKNOWN_LENGTH)
      : 1
    return { once: length * (own + below.once), each: 0 }
  }

  const typeNamed = (name: string | undefined, otherwise: GraphQLNamedType) =>
    (name === undefined ? undefined : schema.getType(name)) ?? otherwise

  const root = schema.getRootType(operation.operation)
  const nodes = root ? ofSet(operation.selectionSet, root).once : 0
  /** Whether other variables may cost something else. */
  return { nodes, byVariables }
}

const nothing: Cost = { once: 0, each: 0 }

function fieldOf(
  schema: GraphQLSchema,
  parent: GraphQLNamedType,
  name: string,
): GraphQLField<unknown, unknown> | undefined {
  if (name === SchemaMetaFieldDef.name && parent === schema.getQueryType())
    return SchemaMetaFieldDef
  if (name === TypeMetaFieldDef.name && parent === schema.getQueryType()) return TypeMetaFieldDef
  return isObjectType(parent) || isInterfaceType(parent) ? parent.getFields()[name] : undefined
}

function isConnection(type: GraphQLNamedType): boolean {
  return isObjectType(type) && type.name.endsWith('Connection') && 'pageInfo' in type.getFields()
}

type ValueIn = (node: ValueNode) => unknown

/** Sizes that are refused when the field is reached count as the nearest that is not. */
function pageSize(args: readonly ArgumentNode[], valueIn: ValueIn): number {
  const given = args
    .filter(({ name }) => name.value === 'first' || name.value === 'last')
    .map(({ value }) => valueIn(value))
    .filter((value) => typeof value === 'number')
  if (given.length === 0) return DEFAULT_SIZE
  return Math.min(LARGEST_SIZE, Math.max(1, ...given))
}

function longestList(args: readonly ArgumentNode[], valueIn: ValueIn): number | undefined {
  const lengths = args
    .map(({ value }) => valueIn(value))
    .filter((value) => Array.isArray(value))
    .map((list) => list.length)
  return lengths.length === 0 ? undefined : Math.max(...lengths)
}
