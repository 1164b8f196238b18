import {
  type DocumentNode,
  GraphQLError,
  type GraphQLSchema,
  getOperationAST,
  NoFragmentCyclesRule,
  OverlappingFieldsCanBeMergedRule,
  type ParseOptions,
  parse,
  type Source,
  specifiedRules,
  type ValidationRule,
  validate,
} from 'graphql'
import type { Plugin } from 'graphql-yoga'
import { GatewayError } from '../domain/errors.ts'
import { costOf } from './cost.ts'
import { requestError } from './errors.ts'
import { comparisonsIn } from './overlap.ts'
import { type DocumentShape, shapeOf } from './shape.ts'

/** The most of each that a document may have. */
export interface DocumentLimits {
  readonly depth: number
  readonly aliases: number
  readonly directives: number
  /** Comments included. */
  readonly tokens: number
  /** Nodes that can be answered with. */
  readonly cost: number
}

/**
 * No honest document has more, and reading them costs more than answering a usual request. A hundred permission checks
 * are some four hundred values.
 */
const FIXED_LIMITS = { fields: 1500, definitions: 80, variables: 100, values: 420, arguments: 50 }
/** White space included, but for that around the document. Long texts are for variables. */
const CHARACTERS_PER_TOKEN = 20
const SHORTEST_LIMIT = 10_000
/** Fragments that are written side by side repeat some fields; more than this many pairs is no honest document. */
const MOST_COMPARISONS = 10_000
/** Nobody reads more at once, and each costs more than the checks that find it. */
const MOST_VALIDATION_ERRORS = 3

/**
 * Refuses documents that ask for too much with LIMIT_EXCEEDED, before the dear parts of validation and before anything
 * is resolved. `suggestions`: whether validation may name parts of the graph that the client did not name.
 *
 * The plug-ins of graphql-armor are not used: they run beside the validation that they should spare, a fragment spread
 * is a level of depth to them, one that contains itself ends their counting, and their errors carry no code.
 */
export function useDocumentLimits(limits: DocumentLimits, suggestions: boolean): Plugin {
  // Without what is wrong with others: it refers to them, so they would live until the next full collection.
  const valid = new WeakSet<DocumentNode>()
  const validateOptions = { maxErrors: MOST_VALIDATION_ERRORS, hideSuggestions: !suggestions }
  return {
    onParse({ setParseFn }) {
      setParseFn((source: string | Source, options?: ParseOptions) =>
        parseWithin(limits.tokens, source, options),
      )
    },
    onValidate({ params: { schema, documentAST }, context, setResult, setValidationFn }) {
      const document: DocumentNode = documentAST
      if (valid.has(document)) setResult([])
      else
        setValidationFn((_schema, _document, rules: readonly ValidationRule[] = specifiedRules) => {
          const check = (some: readonly ValidationRule[]) =>
            withoutStacks(() => validate(schema, document, some, validateOptions))
          if (checkShape(document, limits).circular) return check([NoFragmentCyclesRule])
          checkComparisons(document)
          const errors = check(rules.filter((rule) => rule !== OverlappingFieldsCanBeMergedRule))
          return errors.length > 0 ? errors : check([OverlappingFieldsCanBeMergedRule])
        })
      return (answer) => {
        if (!answer.valid) return
        valid.add(document)
        checkCost(schema, document, limits.cost, context.params)
      }
    },
  }
}

/** Where the library makes an error of a client's is of no interest, and costs as much as finding it. */
function withoutStacks<Result>(work: () => Result): Result {
  const { stackTraceLimit } = Error
  Error.stackTraceLimit = 0
  try {
    return work()
  } finally {
    Error.stackTraceLimit = stackTraceLimit
  }
}

/** @throws GraphQLError LIMIT_EXCEEDED or a syntax error */
function parseWithin(tokens: number, source: string | Source, options?: ParseOptions) {
  const text = source.toString().trim()
  const longest = Math.max(SHORTEST_LIMIT, CHARACTERS_PER_TOKEN * tokens)
  if (text.length > longest) throw exceeded('characters', longest, text.length)
  // The parser's own limit does not count comments and lines, which it works on nevertheless.
  for (const character of ['#', '\n', '\r'])
    if (countOf(character, text) > tokens) throw exceeded('tokens', tokens)
  try {
    return parse(source, { ...options, maxTokens: tokens })
  } catch (error) {
    const tooMany = error instanceof GraphQLError && error.message.includes(`${tokens} tokens`)
    // Running out of stack is possible only with a limit far above the default.
    if (tooMany || error instanceof RangeError) throw exceeded('tokens', tokens)
    throw error
  }
}

function countOf(character: string, text: string): number {
  let count = 0
  for (let at = text.indexOf(character); at !== -1; at = text.indexOf(character, at + 1)) count += 1
  return count
}

/** @throws GraphQLError LIMIT_EXCEEDED */
function checkComparisons(document: DocumentNode): void {
  if (comparisonsIn(document, MOST_COMPARISONS) > MOST_COMPARISONS)
    throw exceeded('repeated fields', MOST_COMPARISONS)
}

const counted = [
  'depth',
  'fields',
  'aliases',
  'directives',
  'definitions',
  'variables',
  'values',
  'arguments',
] as const

/** @throws GraphQLError LIMIT_EXCEEDED */
function checkShape(document: DocumentNode, limits: DocumentLimits): DocumentShape {
  const shape = shapeOf(document)
  const most = { ...limits, ...FIXED_LIMITS }
  for (const name of counted)
    if (shape[name] > most[name]) throw exceeded(name, most[name], shape[name])
  return shape
}

interface Asked {
  readonly operationName?: string | null | undefined
  readonly variables?: Record<string, unknown> | null | undefined
}

/** @throws GraphQLError LIMIT_EXCEEDED */
function checkCost(
  schema: GraphQLSchema,
  document: DocumentNode,
  most: number,
  { operationName, variables }: Asked = {},
): void {
  const operation = getOperationAST(document, operationName)
  const cost = operation ? costOf(schema, document, operation, variables ?? {}) : 0
  if (cost > most) throw exceeded('cost', most, Math.ceil(cost))
}

/** What is limited, in words. */
const measures = {
  depth: 'levels',
  aliases: 'aliases',
  directives: 'directives',
  tokens: 'tokens',
  characters: 'characters',
  fields: 'fields',
  definitions: 'operations and fragments',
  variables: 'variables',
  values: 'values',
  arguments: 'arguments of one field',
  cost: 'nodes that it can answer with (its cost)',
  'repeated fields': 'pairs of fields with the same name in the same place',
}

/** `application/json` keeps 200, as the GraphQL over HTTP specification has it for documents that are refused. */
const badRequest = { status: 400, spec: true } as const

function exceeded(what: keyof typeof measures, most: number, found?: number): GraphQLError {
  const has = found === undefined ? 'more than the limit' : `${found}, more than the limit`
  const message = `The document has too many ${measures[what]}: ${has} of ${most}.`
  return requestError(new GatewayError('LIMIT_EXCEEDED', message), badRequest)
}
