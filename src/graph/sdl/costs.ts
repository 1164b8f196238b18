import {
  type GraphQLField,
  type GraphQLNamedType,
  type GraphQLObjectType,
  type GraphQLSchema,
  getNamedType,
  getNullableType,
  isInputObjectType,
  isLeafType,
  isListType,
  isNonNullType,
  isObjectType,
} from 'graphql'
import { CHECK, DEFAULT_SIZE, MOST_CHECKS, MOST_KEYS } from '../../domain/limits.ts'
import { points } from '../../domain/points.ts'
import type { Directives } from './print.ts'

/** Of IBM's GraphQL Cost Directives, as its draft has them. */
export const COST_HEAD = `directive @cost(weight: String!) on ARGUMENT_DEFINITION | ENUM | FIELD_DEFINITION | INPUT_FIELD_DEFINITION | OBJECT | SCALAR

directive @listSize(assumedSize: Int, slicingArguments: [String!], sizedFields: [String!], requireOneSlicingArgument: Boolean = true) on FIELD_DEFINITION`

/** How the two specifications write a weight. */
export const exactly = (weight: number): string => `"${weight}"`
/** Federation has whole numbers: each part is rounded up, so that a router takes no part for less than it counts here. */
export const roundedUp = (weight: number): string => `${Math.ceil(weight)}`

/**
 * What an operation costs here, for those who read directives: a field costs its weight and that of what is selected in
 * it, once for each entry of a list, and that of its arguments once. What the directives cannot say is said too high: a
 * filter weighs as if `totalCount` were asked for, a list by keys is as long as it may be, and `totalCount` weighs the most
 * that it does under any parent. They say nothing of values of enums, thus not of the order by a user's name; nor of
 * `__typename`, introspection, and the rows of a page of which neither `nodes` nor `edges` is selected, and they count
 * those rows twice when both are.
 */
export function costs(schema: GraphQLSchema, write: (weight: number) => string): Directives {
  /** Left out where readers take it for granted: 1 for objects and input objects, 0 for other values. */
  const cost = (weight: number, type: GraphQLNamedType) => {
    const written = write(weight)
    const granted = isLeafType(type) ? 0 : 1
    return written === write(granted) ? '' : `@cost(weight: ${written})`
  }
  const fields = Object.values(schema.getTypeMap())
    .filter(isObjectType)
    .filter(({ name }) => !name.startsWith('__'))
    .flatMap((parent) => Object.values(parent.getFields()).map((field) => ({ parent, field })))
  const weightOf = (parent: GraphQLObjectType, field: Field) => {
    if (!isConnection(parent) || field.name !== 'totalCount') return usualWeight(parent, field)
    const owners = fields.filter((one) => getNamedType(one.field.type) === parent)
    return owners.every((one) => one.parent.name === 'User') ? points.countOfUser : points.count
  }
  return Object.fromEntries(
    fields.flatMap(({ parent, field }) => {
      const type = getNamedType(field.type)
      const place = `${parent.name}.${field.name}`
      return [
        [place, `${cost(weightOf(parent, field), type)} ${listSize(parent, field)}`],
        ...field.args.flatMap((argument) => {
          const input = getNamedType(argument.type)
          if (!isInputObjectType(input)) return []
          return [
            [`${place}.${argument.name}`, cost(0, input)],
            ...Object.values(input.getFields()).map((one) => {
              const { page, count } = points.filters[`${argument.name}.${one.name}`] ?? nothing
              return [`${input.name}.${one.name}`, cost(page + count, getNamedType(one.type))]
            }),
          ]
        }),
      ]
    }),
  )
}

type Field = GraphQLField<unknown, unknown>

const nothing = { page: 0, count: 0 }

function usualWeight(parent: GraphQLObjectType, field: Field): number {
  const type = getNamedType(field.type)
  if (isConnection(type)) return points.page
  if (isConnection(parent) && field.name === 'nodes') return points.row + points.object
  if (isConnection(parent) && field.name === 'edges') return points.row + points.edge
  if (field.name === 'cursor') return points.cursor
  const asks = field.args.some(({ name }) => name === 'consistency')
  const asking = asks ? points.permission : 0
  if (!isLeafType(type)) return points.object + asking
  // A list of values is one question: its weight is that of each value, of as many as are assumed.
  const leaf = asks || isNonNullType(field.type) ? points.leaf : points.nullableLeaf
  return leaf + (isMany(field) ? asking / points.values : asking)
}

function listSize(parent: GraphQLObjectType, field: Field): string {
  const type = getNamedType(field.type)
  if (isConnection(type))
    return `@listSize(assumedSize: ${DEFAULT_SIZE}, slicingArguments: ["first", "last"], sizedFields: ["nodes", "edges"], requireOneSlicingArgument: false)`
  if (!isMany(field) || isConnection(parent)) return ''
  // Only whole numbers can be slicing arguments, not lists.
  const keys = field.args.find((argument) => isListType(getNullableType(argument.type)))
  const most = keys && getNamedType(keys.type).name === CHECK ? MOST_CHECKS : MOST_KEYS
  const assumed = keys ? most : isLeafType(type) ? points.values : points.objects
  return `@listSize(assumedSize: ${assumed})`
}

function isMany(field: Field): boolean {
  return isListType(getNullableType(field.type))
}

function isConnection(type: GraphQLNamedType): boolean {
  return isObjectType(type) && type.name.endsWith('Connection') && 'pageInfo' in type.getFields()
}
