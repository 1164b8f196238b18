import {
  type DocumentNode,
  type ExecutionResult,
  execute,
  GraphQLError,
  type GraphQLSchema,
} from 'graphql'
import { type CompiledQuery, compileQuery, isCompiledQuery } from 'graphql-jit'
import { GatewayError } from '../domain/errors.ts'
import { MOST_KEYS } from '../domain/limits.ts'
import type { Shape } from './shape.ts'

/** An operation is compiled when it comes for this many times: compiling costs as much as running it some twenty times. */
export const COMPILED_AT = 10
/** Larger operations are not compiled. In fields, with fragments written out. */
const LARGEST = 300

export interface Execution {
  readonly schema: GraphQLSchema
  readonly document: DocumentNode
  readonly operationName: string | undefined
  readonly variables: Readonly<Record<string, unknown>>
  readonly context: unknown
}

/** Whether compiled functions answer what the usual executor does. */
export function canBeCompiled({
  operations,
  fragments,
  expandedFields,
  conditions,
}: Shape): boolean {
  // Conditions around a fragment that is used in several places would be mixed up: they are kept on its nodes.
  const mixedUp = conditions && fragments.size > 0
  return operations.length === 1 && expandedFields <= LARGEST && !mixedUp
}

/** An operation as a function; `null` when the library cannot make one of it. */
export function compile(
  schema: GraphQLSchema,
  document: DocumentNode,
): CompiledQuery['query'] | null {
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
  if (nestedVariables.some((name) => variables[name] === undefined)) return false
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
  const result: ExecutionResult = await compiled(undefined, execution.context, execution.variables)
  if (!result.errors) return result
  if (!result.errors.every(isOurs)) return run(execution)
  return { ...result, errors: result.errors.map((error) => placed(error, execution.document)) }
}

function isOurs({ originalError }: GraphQLError): boolean {
  return originalError instanceof GatewayError
}

/** Errors of compiled functions know lines and columns alone; whoever writes them wants places in the text. */
function placed(error: GraphQLError, { loc }: DocumentNode): GraphQLError {
  const { message, path, locations = [], originalError } = error
  if (!loc) return error
  const { source } = loc
  const lines = source.body.split(/\r\n|[\n\r]/g)
  const positions = locations.map(
    ({ line, column }) => startOf(source.body, line, lines) + column - 1,
  )
  return new GraphQLError(message, { path: path ?? null, originalError, source, positions })
}

/** The offset of the first character of a line, of which 1 is the first. */
function startOf(text: string, line: number, lines: readonly string[]): number {
  let offset = 0
  for (const before of lines.slice(0, line - 1)) {
    offset += before.length
    offset += text.startsWith('\r\n', offset) ? 2 : 1
  }
  return offset
}

export async function run(execution: Execution): Promise<ExecutionResult> {
  const { schema, document, operationName, variables, context } = execution
  return execute({
    schema,
    document,
    operationName,
    variableValues: variables,
    contextValue: context,
  })
}
