import {
  GraphQLError,
  type GraphQLSchema,
  getVariableValues,
  Kind,
  type OperationDefinitionNode,
  type TypeNode,
  type VariableDefinitionNode,
} from 'graphql'
import { MOST_KEYS, MOST_REPRESENTATIONS, REPRESENTATION, tooLong } from '../domain/limits.ts'

/** Nobody reads more at once, and telling of each costs more than finding it. */
const MOST_ERRORS = 5

/** The field that takes a list says itself that it is too long; but reading one this many times as long costs too much. */
const TIMES_TOO_LONG = 2

/** What is wrong with the first few variables that do not fit; `undefined` when all do. */
export function variableErrors(
  schema: GraphQLSchema,
  { variableDefinitions = [] }: OperationDefinitionNode,
  variables: Readonly<Record<string, unknown>>,
): readonly GraphQLError[] | undefined {
  if (variableDefinitions.length === 0) return undefined
  const long = variableDefinitions.find((definition) => isTooLong(definition, variables))
  if (long) return [longError(long)]
  return getVariableValues(schema, variableDefinitions, variables, { maxErrors: MOST_ERRORS })
    .errors
}

function isTooLong(
  { variable, type }: VariableDefinitionNode,
  variables: Readonly<Record<string, unknown>>,
): boolean {
  const value = Object.hasOwn(variables, variable.name.value) && variables[variable.name.value]
  return Array.isArray(value) && value.length > TIMES_TOO_LONG * longestOf(type)
}

function longestOf(type: TypeNode): number {
  if (type.kind !== Kind.NAMED_TYPE) return longestOf(type.type)
  return type.name.value === REPRESENTATION ? MOST_REPRESENTATIONS : MOST_KEYS
}

function longError({ variable, type }: VariableDefinitionNode): GraphQLError {
  const error = tooLong(`$${variable.name.value}`, longestOf(type))
  return new GraphQLError(error.message, { nodes: variable, originalError: error })
}
