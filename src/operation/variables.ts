import {
  GraphQLError,
  type GraphQLSchema,
  getVariableValues,
  Kind,
  type OperationDefinitionNode,
  type TypeNode,
} from 'graphql'
import { CHECK, MOST_CHECKS, MOST_KEYS, REPRESENTATION, tooLong } from '../domain/limits.ts'

/** Nobody reads more at once, and telling of each costs more than finding it. */
const MOST_ERRORS = 5

/** The field that takes a list says itself that it is too long; but reading one this many times as long costs too much. */
const TIMES_TOO_LONG = 1.25

/** What is wrong with the first few variables that do not fit; `undefined` when all do. */
export function variableErrors(
  schema: GraphQLSchema,
  { variableDefinitions = [] }: OperationDefinitionNode,
  variables: Readonly<Record<string, unknown>>,
): readonly GraphQLError[] | undefined {
  if (variableDefinitions.length === 0) return undefined
  for (const { variable, type } of variableDefinitions) {
    const name = variable.name.value
    const value = Object.hasOwn(variables, name) && variables[name]
    if (!Array.isArray(value) || value.length <= TIMES_TOO_LONG * longestOf(type)) continue
    const error = tooLong(`$${name}`, longestOf(type))
    return [new GraphQLError(error.message, { nodes: variable, originalError: error })]
  }
  return getVariableValues(schema, variableDefinitions, variables, { maxErrors: MOST_ERRORS })
    .errors
}

function longestOf(type: TypeNode): number {
  if (type.kind !== Kind.NAMED_TYPE) return longestOf(type.type)
  if (type.name.value === CHECK) return MOST_CHECKS
  // Of references, the first are answered however many there are, and each is nothing to read.
  return type.name.value === REPRESENTATION ? Number.POSITIVE_INFINITY : MOST_KEYS
}
