import {
  type GraphQLField,
  type GraphQLObjectType,
  type GraphQLSchema,
  getNamedType,
  isLeafType,
  isRequiredArgument,
} from 'graphql'
import type { GatewayUnderTest, GraphQLAnswer } from '../../support/gateway.ts'
import { argumentsOf, type Route, routesOf } from './routes.ts'
import { type Outcome, rules } from './rules.ts'
import type { MatrixWorld } from './world.ts'

/** Asks every field at the end of a route, and the further questions that have a rule; answers what each one came to. */
export async function readRoute(
  schema: GraphQLSchema,
  world: MatrixWorld,
  name: string,
  ask: (query: string) => ReturnType<GatewayUnderTest['graphql']>,
): Promise<Readonly<Record<string, Outcome>>> {
  const route = routesOf(world)[name] ?? []
  const questions = questionsOf(schema, world, name)
  // All at once: what is refused takes nothing else with it.
  const selection = questions.map((question) => question.text).join(' ')
  const answer = await ask(nest(route, selection))
  return Object.fromEntries(questions.map(({ key }) => [key, outcomeOf(answer, route, key)]))
}

/** What a route must have rules for: all fields, and of the further questions to them those that have a rule. */
export function questionsOf(schema: GraphQLSchema, world: MatrixWorld, route: string): Question[] {
  const type = typeAt(schema, routesOf(world)[route] ?? [])
  const given = argumentsOf(world)
  return Object.values(type.getFields()).flatMap((field) => {
    const path = `${type.name}.${field.name}`
    const further = Object.keys(given).filter(
      (key) => key.startsWith(`${path}/`) && rules.get(route)?.has(key.slice(type.name.length + 1)),
    )
    return [path, ...further].map((path) => {
      const key = path.slice(type.name.length + 1)
      return { key, text: `${aliasOf(key)}: ${callOf(field, path, given[path])}` }
    })
  })
}

interface Question {
  /** The field, or the field, a slash and the question's name. */
  readonly key: string
  /** As it is selected. */
  readonly text: string
}

/** The type of the objects at the end of a route. */
export function typeAt(schema: GraphQLSchema, route: Route): GraphQLObjectType {
  const query = schema.getQueryType()
  if (!query) throw new Error('There is no Query.')
  return route.map(fieldOf).reduce((type, name) => {
    if (isNarrowing(name)) return schema.getType(name.slice('... on '.length)) as GraphQLObjectType
    const field = type.getFields()[name]
    if (!field) throw new Error(`There is no ${type.name}.${name}.`)
    return getNamedType(field.type) as GraphQLObjectType
  }, query)
}

function callOf(field: GraphQLField<unknown, unknown>, path: string, given: string | undefined) {
  if (given === undefined && field.args.some(isRequiredArgument))
    throw new Error(`No arguments for ${path}.`)
  const call = `${field.name}${given ?? ''}`
  const type = getNamedType(field.type)
  if (isLeafType(type)) return call
  return `${call} ${type.name.endsWith('Connection') ? '{ nodes { __typename } }' : '{ __typename }'}`
}

function outcomeOf(answer: GraphQLAnswer, route: Route, key: string): Outcome {
  const path: (string | number)[] = []
  let value: unknown = answer.data
  for (const name of route.map(fieldOf).filter((step) => !isNarrowing(step))) {
    path.push(name)
    value = (value as Readonly<Record<string, unknown>> | null)?.[name]
    if (Array.isArray(value)) {
      path.push(0)
      value = value[0]
    }
    if (value === null || value === undefined) return 'unreached'
  }
  const errorAt = (place: typeof path) =>
    answer.errors.find((error) => error.path?.join() === place.join())
  path.push(aliasOf(key))
  value = (value as Readonly<Record<string, unknown>> | null)?.[aliasOf(key)]
  const inList = Array.isArray(value) && value[0] === null ? errorAt([...path, 0]) : undefined
  if (inList) return inList.extensions.code as Outcome
  const error = errorAt(path)
  if (error && value != null) throw new Error(`${path.join('.')} has a value and an error.`)
  return error ? (error.extensions.code as Outcome) : outcomeOfValue(value)
}

function outcomeOfValue(value: unknown): Outcome {
  const list = (value as { nodes?: unknown } | null)?.nodes ?? value
  if (list === null || list === undefined) return 'null'
  if (list === false) return 'false'
  if (list === 0 || (Array.isArray(list) && list.length === 0)) return 'empty'
  return Array.isArray(list) && list.every((entry) => entry === null) ? 'null' : 'value'
}

function nest(route: Route, selection: string): string {
  return route.reduceRight((inner, step) => `{ ${step} ${inner} }`, `{ ${selection} }`)
}

function isNarrowing(step: string): boolean {
  return step.startsWith('... on ')
}

function fieldOf(step: string): string {
  return step.split('(', 1)[0] ?? step
}

function aliasOf(key: string): string {
  return key.replace('/', '_')
}
