import {
  type DocumentNode,
  GraphQLError,
  type GraphQLSchema,
  getOperationAST,
  NoFragmentCyclesRule,
  type ParseOptions,
  parse,
  type Source,
  validate,
} from 'graphql'
import type { Plugin } from 'graphql-yoga'
import { GatewayError } from '../domain/errors.ts'
import { costOf } from './document-cost.ts'
import { comparisonsIn } from './document-overlap.ts'
import { type DocumentShape, shapeOf } from './document-shape.ts'

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

/** Fragments that are written side by side repeat some fields; more than this many pairs is no honest document. */
const MOST_COMPARISONS = 10_000
/** Nobody reads more at once, and each costs more than the checks that find it. */
const MOST_VALIDATION_ERRORS = 5

/**
 * Refuses documents that ask for too much with LIMIT_EXCEEDED, before the dear parts of validation and before anything
 * is resolved. `suggestions`: whether validation may name parts of the graph that the client did not name.
 *
 * The plug-ins of graphql-armor are not used: they run beside the validation that they should spare, a fragment spread
 * is a level of depth to them, one that contains itself ends their counting, and their errors carry no code.
 */
export function useDocumentLimits(limits: DocumentLimits, suggestions: boolean): Plugin {
  const shapes = new WeakMap<DocumentNode, DocumentShape>()
  const validateOptions = { maxErrors: MOST_VALIDATION_ERRORS, hideSuggestions: !suggestions }
  return {
    onParse({ setParseFn }) {
      setParseFn((source: string | Source, options?: ParseOptions) =>
        parseWithin(limits.tokens, source, options),
      )
    },
    onValidate({ params: { schema, documentAST }, context, setValidationFn }) {
      const document: DocumentNode = documentAST
      const shape = shapes.get(document) ?? checked(document, limits)
      shapes.set(document, shape)
      if (!shape.circular) checkCost(schema, document, limits.cost, context.params)
      const only = shape.circular ? [NoFragmentCyclesRule] : undefined
      setValidationFn((schema, document, rules, _types, options) =>
        validate(schema, document, only ?? rules, { ...options, ...validateOptions }),
      )
    },
  }
}

/** @throws GraphQLError LIMIT_EXCEEDED or a syntax error */
function parseWithin(tokens: number, source: string | Source, options?: ParseOptions) {
  // The parser's own limit does not count comments, of which each is kept with the document nevertheless.
  if (countOf('#', source.toString()) > tokens) throw exceeded('tokens', tokens)
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
function checked(document: DocumentNode, limits: DocumentLimits): DocumentShape {
  const shape = shapeOf(document)
  for (const name of ['depth', 'aliases', 'directives'] as const)
    if (shape[name] > limits[name]) throw exceeded(name, limits[name], shape[name])
  if (!shape.circular && comparisonsIn(document, MOST_COMPARISONS) > MOST_COMPARISONS)
    throw exceeded('repeated fields', MOST_COMPARISONS)
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
  depth: 'levels of fields',
  aliases: 'aliases',
  directives: 'directives',
  tokens: 'tokens',
  cost: 'nodes that it can answer with (its cost)',
  'repeated fields': 'pairs of fields with the same name in the same place',
}

/** `application/json` keeps 200, as the GraphQL over HTTP specification has it for documents that are refused. */
const badRequest = { status: 400, spec: true }

function exceeded(what: keyof typeof measures, most: number, found?: number): GraphQLError {
  const has = found === undefined ? 'more than the limit' : `${found}, more than the limit`
  const message = `The document has too many ${measures[what]}: ${has} of ${most}.`
  return new GraphQLError(message, {
    originalError: new GatewayError('LIMIT_EXCEEDED', message),
    extensions: { http: badRequest },
  })
}
