import {
  type DocumentNode,
  type ExecutionArgs,
  type ExecutionResult,
  execute,
  GraphQLError,
  type GraphQLSchema,
} from 'graphql'
import { type CompiledQuery, compileQuery, isCompiledQuery } from 'graphql-jit'
import { GatewayError } from '../domain/errors.ts'
import { MOST_KEYS } from '../domain/limits.ts'
import type { Shape } from './shape.ts'
import { withoutStacks } from './without-stacks.ts'

/** An operation is compiled when it comes for this many times: compiling costs as much as running it some twenty times. */
export const COMPILED_AT = 10
/** Larger operations are not compiled. In fields, with fragments written out. */
const LARGEST = 300

export interface Execution extends ExecutionArgs {
  /** What the operation refused its caller so far. */
  readonly contextValue: { readonly refusals: { clear(): void } }
}

/** An operation as a function; `null` where the library makes none of it that answers what the usual executor does. */
export function compile(
  schema: GraphQLSchema,
  document: DocumentNode,
  { operations, fragments, expandedFields, conditions }: Shape,
): CompiledQuery['query'] | null {
  // Conditions around a fragment that is used in several places would be mixed up: they are kept on its nodes.
  const mixedUp = conditions && fragments.size > 0
  if (operations.length > 1 || expandedFields > LARGEST || mixedUp) return null
  const options = { disablingCapturingStackErrors: true }
  const compiled = compileQuery(schema, document, undefined, options)
  return isCompiledQuery(compiled) ? compiled.query : null
}

/**
 * Whether these variables can be given to a compiled operation. It reads a variable inside of a list or an object that
 * was not given as null. Lists that are too long are refused by the field that takes them, so that most of these
 * operations would be run twice.
 */
export function fits(
  variables: Readonly<Record<string, unknown>>,
  { nestedVariables }: Pick<Shape, 'nestedVariables'>,
): boolean {
  for (const name of nestedVariables) if (variables[name] === undefined) return false
  return !Object.values(variables).some((value) => Array.isArray(value) && value.length > MOST_KEYS)
}

/**
 * Runs a compiled operation, and once more by the usual executor when it ends with an error that no resolver of ours
 * threw: such errors are worded by whoever executes. That is safe because operations only read, and cheap because the
 * loaders of the request remember what was read.
 */
export async function runCompiled(
  compiled: CompiledQuery['query'],
  execution: Execution,
): Promise<ExecutionResult> {
  const { contextValue, variableValues } = execution
  const result: ExecutionResult = await compiled(undefined, contextValue, variableValues)
  if (!result.errors) return result
  if (!result.errors.every(isOurs)) {
    contextValue.refusals.clear()
    return execute(execution)
  }
  return { ...result, errors: placed(result.errors, execution.document) }
}

function isOurs({ originalError }: GraphQLError): boolean {
  return originalError instanceof GatewayError
}

/** Errors of compiled functions know lines and columns alone; Yoga, which writes them, wants places in the text. */
function placed(errors: readonly GraphQLError[], { loc }: DocumentNode): readonly GraphQLError[] {
  if (!loc) return errors
  const { source } = loc
  const ends = source.body.matchAll(/\r\n|[\n\r]/g)
  const begins = [0, ...[...ends].map(({ index, 0: end }) => index + end.length)]
  return withoutStacks(() =>
    errors.map(({ message, path, locations = [], originalError }) => {
      const positions = locations.map(({ line, column }) => (begins[line - 1] ?? 0) + column - 1)
      const error = new GraphQLError(message, { path: path ?? null, originalError })
      return Object.assign(error, { source, positions, locations })
    }),
  )
}
