import { getOperationAST, getVariableValues } from 'graphql'
import type { Plugin } from 'graphql-yoga'

/** Nobody reads more at once, and telling of each costs more than finding it. */
const MOST_ERRORS = 5

/** Refuses variables that do not fit before anything is executed, and tells of the first few alone. */
export function useFewVariableErrors(): Plugin {
  return {
    onExecute({ args, setResultAndStopExecution }) {
      const definitions =
        getOperationAST(args.document, args.operationName)?.variableDefinitions ?? []
      if (definitions.length === 0) return
      const { errors } = getVariableValues(args.schema, definitions, args.variableValues ?? {}, {
        maxErrors: MOST_ERRORS,
      })
      if (errors) setResultAndStopExecution({ errors })
    },
  }
}
