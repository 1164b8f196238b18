import {
  type GraphQLArgument,
  type GraphQLField,
  type GraphQLInputType,
  type GraphQLObjectType,
  type GraphQLSchema,
  getNamedType,
  isEnumType,
  isInputObjectType,
  isListType,
  isNonNullType,
  isObjectType,
} from 'graphql'
import type { Random } from './random.ts'

export interface RandomDocument {
  readonly query: string
  readonly variables: Readonly<Record<string, unknown>>
}

/** What to send for a scalar; `name` is that of the argument or input field. */
export type ScalarValue = (random: Random, type: string, name: string) => unknown

/** A document of this graph with aliases, fragments, directives, literals and variables; valid unless values are not. */
export function randomDocument(
  random: Random,
  schema: GraphQLSchema,
  scalar: ScalarValue,
  options: { readonly depth?: number; readonly directives?: boolean } = {},
): RandomDocument {
  const variables: Record<string, unknown> = {}
  const declared: string[] = []
  const fragments: string[] = []

  const argument = ({ name, type }: GraphQLArgument): string => {
    const value = valueFor(type, name)
    if (random.chance(0.5)) return `${name}: ${literal(value, type)}`
    const variable = `v${declared.length}`
    const usesDefault = random.chance(0.3)
    declared.push(`$${variable}: ${type}${usesDefault ? ` = ${literal(value, type)}` : ''}`)
    if (!usesDefault) variables[variable] = value
    return `${name}: $${variable}`
  }

  const valueFor = (type: GraphQLInputType, name: string): unknown => {
    if (isNonNullType(type)) return valueFor(type.ofType, name)
    if (isListType(type))
      return Array.from({ length: random.between(0, 5) }, () => valueFor(type.ofType, name))
    if (isEnumType(type)) return random.one(type.getValues())?.name
    if (!isInputObjectType(type)) return scalar(random, type.name, name)
    const fields = Object.values(type.getFields())
    const given = fields.filter(({ type }) => isNonNullType(type) || random.chance(0.4))
    return Object.fromEntries(given.map((field) => [field.name, valueFor(field.type, field.name)]))
  }

  const field = ({ name, type, args }: GraphQLField<unknown, unknown>, depth: number): string => {
    const named = getNamedType(type)
    const paged = args.some((arg) => arg.name === 'first')
    const given = args.filter(
      (arg) => isNonNullType(arg.type) || (arg.name !== 'last' && random.chance(0.3)),
    )
    if (paged && random.chance(0.2)) given.push(...args.filter((arg) => arg.name === 'last'))
    const alias = random.chance(0.15) ? `a${random.between(0, 9)}_${name}: ` : ''
    const words = given.length === 0 ? '' : `(${given.map(argument).join(', ')})`
    const directive =
      options.directives && random.chance(0.05)
        ? random.one([' @include(if: true)', ' @skip(if: true)', ' @skip(if: false)'])
        : ''
    const below = isObjectType(named) ? ` ${selection(named, depth - 1)}` : ''
    return `${alias}${name}${words}${directive}${below}`
  }

  const selection = (type: GraphQLObjectType, depth: number): string => {
    const all = Object.values(type.getFields())
    const leaves = all.filter((one) => !isObjectType(getNamedType(one.type)))
    const usable = depth > 0 ? all : leaves
    const chosen = random.some(usable, random.between(1, 3)).map((one) => field(one, depth))
    const text = `{ ${['__typename', ...chosen].join(' ')} }`
    if (random.chance(0.1)) return `{ ... on ${type.name} ${text} }`
    if (!random.chance(0.1)) return text
    const name = `F${fragments.length}`
    fragments.push(`fragment ${name} on ${type.name} ${text}`)
    return `{ ...${name} id: __typename }`
  }

  const query = schema.getQueryType()
  const body = query ? selection(query, options.depth ?? random.between(1, 8)) : '{ __typename }'
  const head = declared.length === 0 ? 'query' : `query (${declared.join(', ')})`
  return { query: [`${head} ${body}`, ...fragments].join('\n'), variables }
}

function literal(value: unknown, type: GraphQLInputType): string {
  if (isNonNullType(type)) return literal(value, type.ofType)
  if (value === null || value === undefined) return 'null'
  if (Array.isArray(value) && isListType(type))
    return `[${value.map((one) => literal(one, type.ofType)).join(', ')}]`
  if (isEnumType(type)) return String(value)
  if (!isInputObjectType(type)) return JSON.stringify(value) ?? 'null'
  const fields = type.getFields()
  const given = Object.entries(value).map(([name, one]) => {
    const field = fields[name]
    return field ? `${name}: ${literal(one, field.type)}` : ''
  })
  return `{ ${given.join(', ')} }`
}
