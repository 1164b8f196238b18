import {
  type ASTNode,
  type DocumentNode,
  type ExecutionArgs,
  type ExecutionResult,
  type FragmentDefinitionNode,
  Kind,
  type OperationDefinitionNode,
  type SelectionSetNode,
  visit,
} from 'graphql'
import { type CompiledQuery, compileQuery, isCompiledQuery } from 'graphql-jit'
import type { Plugin } from 'graphql-yoga'
import { LRUCache } from 'lru-cache'
import { MOST_KEYS } from '../domain/limits.ts'

/** A document is compiled when it comes for this many times: compiling costs as much as running it some twenty times. */
export const COMPILED_AT = 10
/** Larger operations are not compiled. In fields, with fragments written out. */
const LARGEST = 300
/** Fields of all compiled operations together; each takes about 8 KiB. */
const MOST_FIELDS = 5000

interface Compiled {
  readonly run: CompiledQuery['query']
  /** See `variablesInLiterals`. */
  readonly nested: readonly string[]
}

type Execute = (args: ExecutionArgs) => unknown

/**
 * Runs operations that come again and again as compiled functions, instead of walking their documents each time. What
 * clients see stays that of the usual executor: it runs whatever is not compiled, and whatever ends with an error once
 * more. That is safe because operations only read, and cheap because the request's loaders remember what was read.
 */
export function useCompiledExecution(): Plugin {
  const seen = new WeakMap<DocumentNode, number>()
  const compiled = new LRUCache<DocumentNode, Compiled>({ maxSize: MOST_FIELDS })

  /** Yoga parses equal texts into one document, so the document stands for the text. */
  const find = ({ schema, document }: ExecutionArgs): Compiled | undefined => {
    const known = compiled.get(document)
    if (known) return known
    const times = (seen.get(document) ?? 0) + 1
    seen.set(document, times)
    if (times !== COMPILED_AT) return undefined
    const size = sizeOf(document)
    if (size === null) return undefined
    const result = compileQuery(schema, document, undefined, {
      disablingCapturingStackErrors: true,
    })
    if (!isCompiledQuery(result)) return undefined
    const operation = {
      run: result.query,
      nested: variablesInLiterals(document),
    }
    compiled.set(document, operation, { size })
    return operation
  }

  return {
    onExecute({ args, executeFn, setExecuteFn }) {
      const operation = find(args)
      if (operation) setExecuteFn(executeBy(operation, executeFn as Execute))
    },
  }
}

function executeBy({ run, nested }: Compiled, usual: Execute): Execute {
  return async (args) => {
    const { rootValue, contextValue, variableValues } = args
    if (nested.some((name) => variableValues?.[name] === undefined)) return usual(args)
    if (Object.values(variableValues ?? {}).some(isLong)) return usual(args)
    const result: ExecutionResult = await run(rootValue, contextValue, variableValues)
    return result.errors ? usual(args) : result
  }
}

/** Lists that are longer are mostly refused, and what ends with an error is run twice. */
function isLong(value: unknown): boolean {
  return Array.isArray(value) && value.length > MOST_KEYS
}

/** Names of variables inside of lists and objects: compiled functions read one that was not given as null. */
function variablesInLiterals(document: DocumentNode): readonly string[] {
  const names = new Set<string>()
  visit(document, {
    Variable: ({ name }, _key, parent) => {
      const inside = Array.isArray(parent) || (parent as ASTNode).kind === Kind.OBJECT_FIELD
      if (inside) names.add(name.value)
    },
  })
  return [...names]
}

/** In fields, at least 1; `null` for what is too large or is not compiled faithfully. */
function sizeOf(document: DocumentNode): number | null {
  const fragments = new Map<string, FragmentDefinitionNode>()
  const operations: OperationDefinitionNode[] = []
  for (const definition of document.definitions)
    if (definition.kind === Kind.FRAGMENT_DEFINITION)
      fragments.set(definition.name.value, definition)
    else if (definition.kind === Kind.OPERATION_DEFINITION) operations.push(definition)
  const [operation] = operations
  if (!operation || operations.length > 1) return null
  let fields = 0
  let conditions = false
  const count = ({ selections }: SelectionSetNode): void => {
    for (const selection of selections) {
      if (fields > LARGEST) return
      if (selection.directives?.length) conditions = true
      if (selection.kind === Kind.FIELD) fields++
      const below =
        selection.kind === Kind.FRAGMENT_SPREAD ? fragments.get(selection.name.value) : selection
      if (below?.selectionSet) count(below.selectionSet)
    }
  }
  count(operation.selectionSet)
  // Conditions around a fragment that is used in several places would be mixed up: they are kept on its nodes.
  return fields > LARGEST || (conditions && fragments.size > 0) ? null : fields
}
