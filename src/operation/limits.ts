import { type DocumentNode, type ExecutionResult, GraphQLError, parse } from 'graphql'
import type { RequestScope } from '../scope.ts'
import { badDocument, requestError } from './errors.ts'
import { comparisonsIn } from './overlap.ts'
import type { Shape } from './shape.ts'
import { isLonger } from './size.ts'

/** The most of each that a document may have. */
export interface DocumentLimits {
  readonly depth: number
  readonly aliases: number
  readonly directives: number
  /** Comments included. */
  readonly tokens: number
  /** Points, of all operations of a request. */
  readonly cost: number
  /** The length of an answer. */
  readonly answerBytes: number
}

/*
 * The plug-ins of graphql-armor are not used: they run beside the validation that they should spare, a fragment spread
 * is a level of depth to them, one that contains itself ends their counting, and their errors carry no code.
 */

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

/** @throws GraphQLError LIMIT_EXCEEDED or GRAPHQL_PARSE_FAILED */
export function parseWithin(tokens: number, source: string): DocumentNode {
  const text = source.trim()
  const longest = Math.max(SHORTEST_LIMIT, CHARACTERS_PER_TOKEN * tokens)
  if (text.length > longest) throw exceeded('characters', longest, text.length)
  // The parser's own limit does not count comments and lines, which it works on nevertheless.
  for (const character of ['#', '\n', '\r'])
    if (countOf(character, text) > tokens) throw exceeded('tokens', tokens)
  try {
    return parse(source, { maxTokens: tokens })
  } catch (error) {
    const tooMany = error instanceof GraphQLError && error.message.includes(`${tokens} tokens`)
    // Running out of stack is possible only with a limit far above the default.
    if (tooMany || error instanceof RangeError) throw exceeded('tokens', tokens)
    if (!(error instanceof GraphQLError)) throw error
    Object.assign(error.extensions, { code: 'GRAPHQL_PARSE_FAILED', http: badDocument })
    throw error
  }
}

function countOf(character: string, text: string): number {
  let count = 0
  for (let at = text.indexOf(character); at !== -1; at = text.indexOf(character, at + 1)) count += 1
  return count
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

/** What there is too much of: LIMIT_EXCEEDED. */
export function findExcess(shape: Shape, limits: DocumentLimits): GraphQLError | undefined {
  const most = { ...limits, ...FIXED_LIMITS }
  const name = counted.find((what) => shape[what] > most[what])
  return name && exceeded(name, most[name], shape[name])
}

/** Whether validation would compare too much, in a document whose fragments are not circular: LIMIT_EXCEEDED. */
export function findComparisons(shape: Shape): GraphQLError | undefined {
  const isMore = comparisonsIn(shape, MOST_COMPARISONS) > MOST_COMPARISONS
  return isMore ? exceeded('repeated fields', MOST_COMPARISONS) : undefined
}

/**
 * @param points Of the operation, and of those of the same request before it.
 * @throws GraphQLError LIMIT_EXCEEDED
 */
export function checkCost(points: number, { cost }: DocumentLimits): void {
  if (points <= cost) return
  const message = `The request costs too much: ${points} points, more than the limit of ${cost}. Ask for smaller pages, fewer fields or fewer counts.`
  throw requestError('LIMIT_EXCEEDED', message, badDocument)
}

/** Of answers that cost less, the length is not looked at. In points. */
const MAY_BE_LONG = 500

/** @throws GraphQLError LIMIT_EXCEEDED when it is too long to be written. */
export function checkAnswer(
  answer: ExecutionResult,
  points: number,
  { answerBytes }: DocumentLimits,
): void {
  if (points >= MAY_BE_LONG && isLonger(answer.data, answerBytes)) throw tooLong(answerBytes)
}

/** A request with this header, whatever its value, is told what it cost. */
export const COST_HEADER = 'x-graphql-cost'

/** The answer with its cost beside it: in points, of this operation, and of what the caller may spend. */
export function withCost(
  answer: ExecutionResult,
  requested: number,
  { budget }: Pick<RequestScope, 'budget'>,
  { cost: limit }: DocumentLimits,
): ExecutionResult {
  const { available = null, perMinute = null } = budget ?? {}
  const cost = { requested, limit, available, perMinute }
  return { ...answer, extensions: { ...answer.extensions, cost } }
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
  'repeated fields': 'pairs of fields with the same name in the same place',
}

function exceeded(what: keyof typeof measures, most: number, found?: number): GraphQLError {
  const has = found === undefined ? 'more than the limit' : `${found}, more than the limit`
  const message = `The document has too many ${measures[what]}: ${has} of ${most}.`
  return requestError('LIMIT_EXCEEDED', message, badDocument)
}

function tooLong(most: number): GraphQLError {
  const message = `The answer is longer than the limit of ${most} bytes: ask for less.`
  return requestError('LIMIT_EXCEEDED', message, badDocument)
}
