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
  isNonNullType,
  isObjectType,
  Kind,
  type OperationDefinitionNode,
  SchemaMetaFieldDef,
  type SelectionSetNode,
  TypeMetaFieldDef,
  TypeNameMetaFieldDef,
  type ValueNode,
} from 'graphql'
import { DEFAULT_SIZE, LARGEST_SIZE } from '../domain/limits.ts'
import { points } from '../domain/points.ts'
import { introspectionSizes } from './introspection-sizes.ts'
import type { Fragments } from './shape.ts'

interface Cost {
  /** Once. */
  readonly once: number
  /** For each entry of the page, in the selection of a connection. */
  readonly each: number
  /** How often the length of the list is asked for, in the selection of a connection. */
  readonly counts: number
  /** Lists and their lengths, each of which is a statement, of however many parents. */
  readonly statements: number
}

/**
 * What the operation takes at most, in points: see points.ts for what each thing weighs. A connection counts the entries
 * of its page, for each of `nodes` and `edges` that is selected and also when neither is, because the page is read all
 * the same; a list by ids counts them. Every alias is another field. Takes time in proportion to the document, because
 * each fragment is measured once: so what several fragments select alike counts several times.
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
    if (node.kind === Kind.ENUM || node.kind === Kind.STRING) return node.value
    if (node.kind === Kind.OBJECT)
      return Object.fromEntries(node.fields.map(({ name, value }) => [name.value, valueIn(value)]))
    if (node.kind === Kind.NULL) return null
    if (node.kind !== Kind.VARIABLE) return ''
    byVariables = true
    const name = node.name.value
    if (Object.hasOwn(variables, name)) return variables[name]
    const { defaultValue } =
      operation.variableDefinitions?.find((one) => one.variable.name.value === name) ?? {}
    return defaultValue && valueIn(defaultValue)
  }

  const ofSet = (set: SelectionSetNode, type: GraphQLNamedType): Cost => {
    const total = { once: 0, each: 0, counts: 0, statements: 0 }
    for (const selection of set.selections) {
      const cost =
        selection.kind === Kind.FIELD
          ? ofField(selection, type)
          : selection.kind === Kind.INLINE_FRAGMENT
            ? ofSet(selection.selectionSet, typeNamed(selection.typeCondition?.name.value, type))
            : ofFragment(selection.name.value, type)
      total.once += cost.once
      total.each += cost.each
      total.counts += cost.counts
      total.statements += cost.statements
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
    const name = node.name.value
    if (name === TypeNameMetaFieldDef.name) return onlyOnce(points.leaf)
    const field = fieldOf(schema, parent, name)
    if (!field) return nothing
    const type = getNamedType(field.type)
    const args = node.arguments ?? []
    const isMany = isListType(getNullableType(field.type))
    const asks = field.args.some((argument) => argument.name === 'consistency')
    const asking = asks ? points.permission : 0
    if (!isCompositeType(type)) {
      if (isConnection(parent) && name === 'totalCount')
        return { ...nothing, counts: 1, statements: 1 }
      if (name === 'cursor') return onlyOnce(points.cursor)
      const values = isMany ? points.values : 1
      const leaf = asks || isNonNullType(field.type) ? points.leaf : points.nullableLeaf
      return onlyOnce(values * leaf + asking)
    }
    const below = node.selectionSet ? ofSet(node.selectionSet, type) : nothing
    if (isConnection(type)) {
      const extra = extraOf(args, valueIn)
      const size = pageSize(args, valueIn)
      const page = points.page + extra.page + size * (points.row + below.each)
      const once = below.once + page + below.counts * (countOf(parent) + extra.count)
      return { ...onlyOnce(once), statements: below.statements + 1 }
    }
    if (isConnection(parent) && name === 'nodes')
      return { ...below, once: 0, counts: 0, each: points.object + below.once }
    if (isConnection(parent) && name === 'edges')
      return { ...below, once: 0, counts: 0, each: points.edge + below.once }
    const most = Number(field.extensions.longest ?? Number.POSITIVE_INFINITY)
    const length = isMany
      ? (sizes.get(`${parent.name}.${name}`) ?? longestList(args, valueIn) ?? points.objects)
      : 1
    const once = Math.min(most, length) * (points.object + asking + below.once)
    return { ...onlyOnce(once), statements: below.statements }
  }

  const typeNamed = (name: string | undefined, otherwise: GraphQLNamedType) =>
    (name === undefined ? undefined : schema.getType(name)) ?? otherwise

  const root = schema.getRootType(operation.operation)
  // Weights are tenths of a point, which sums of binary fractions miss by a little.
  const { once, statements } = root ? ofSet(operation.selectionSet, root) : nothing
  const cost = Math.ceil(Math.round(10 * (once + points.statement * statements)) / 10)
  /** Whether other variables may cost something else. */
  return { points: cost, statements, byVariables }
}

const nothing: Cost = { once: 0, each: 0, counts: 0, statements: 0 }

function onlyOnce(once: number): Cost {
  return { ...nothing, once }
}

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

function countOf(parent: GraphQLNamedType): number {
  return parent.name === 'User' ? points.countOfUser : points.count
}

type ValueIn = (node: ValueNode) => unknown

/** What filters and orders take beside the page and its length. */
function extraOf(args: readonly ArgumentNode[], valueIn: ValueIn) {
  const extra = { page: 0, count: 0 }
  for (const { name, value } of args) {
    const given = valueIn(value)
    if (typeof given !== 'object' || given === null) continue
    for (const [key, set] of Object.entries(given)) {
      const more = points.filters[key === 'field' ? `${name.value}.${set}` : `${name.value}.${key}`]
      if (!more || set == null || isBlank(set)) continue
      extra.page += more.page
      extra.count += more.count
    }
  }
  return extra
}

/** A blank search is none. */
function isBlank(set: unknown): boolean {
  return typeof set === 'string' && set.trim() === ''
}

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
