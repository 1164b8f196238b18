import {
  GraphQLError,
  getOperationAST,
  getVariableValues,
  Kind,
  type TypeNode,
  type VariableDefinitionNode,
} from 'graphql'
import type { Plugin } from 'graphql-yoga'
import { MOST_KEYS, MOST_REPRESENTATIONS, REPRESENTATION, tooLong } from '../domain/limits.ts'

/** Nobody reads more at once, and telling of each costs more than finding it. */
const MOST_ERRORS = 5

/** The field that takes a list says itself that it is too long; but reading one this many times as long costs too much. */
const TIMES_TOO_LONG = 2

/** Refuses variables that do not fit before anything is executed, and tells of the first few alone. */
export function useFewVariableErrors(): Plugin {
  return {
    onExecute({ args, setResultAndStopExecution }) {
      const variables: Readonly<Record<string, unknown>> = args.variableValues ?? {}
      const definitions =
        getOperationAST(args.document, args.operationName)?.variableDefinitions ?? []
      if (definitions.length === 0) return
      const long = definitions.find((definition) => isTooLong(definition, variables))
      const { errors } = long
        ? { errors: [longError(long)] }
        : getVariableValues(args.schema, definitions, variables, { maxErrors: MOST_ERRORS })
      if (errors) setResultAndStopExecution({ errors })
    },
  }
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
