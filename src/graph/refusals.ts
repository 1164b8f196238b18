import {
  type GraphQLOutputType,
  type GraphQLResolveInfo,
  type GraphQLSchema,
  getNullableType,
  isIntrospectionType,
  isListType,
  isNonNullType,
  isObjectType,
} from 'graphql'
import { GatewayError } from '../domain/errors.ts'
import type { Context } from './context.ts'

/** Errors of one field of a document that are told each. */
export const FEW_TIMES = 10
/** In an answer with more errors than that, further ones of the same field are not told each: nobody reads as many. */
export const FEW_ERRORS = 100

/** What an operation refused its caller so far. */
export class Refusals {
  /** By what they are told, and which field of the document it is of. */
  readonly #firsts = new Map<string, GatewayError>()
  #errors = 0

  clear(): void {
    this.#firsts.clear()
    this.#errors = 0
  }

  /** What a field is refused with; `null`: the first error of its kind stands for it. */
  add(error: GatewayError, told: string): GatewayError | null {
    const first = this.#firsts.get(told)
    if (first) {
      first.times += 1
      first.standsForAll ||= first.times > FEW_TIMES || this.#errors >= FEW_ERRORS
      if (first.standsForAll) return null
    }
    const own = error.forOneField()
    own.again = first ?? null
    if (!first) this.#firsts.set(told, own)
    this.#errors += 1
    return own
  }
}

/**
 * Has an answer tell once that a field is refused, for whatever reason, where a page has more than a few of it, as one of
 * people may have hundreds: the first is null with an error, which counts the others, and these are null alone. So are
 * entries of a list by keys.
 */
export function tellRefusalsOnce(schema: GraphQLSchema): void {
  for (const type of Object.values(schema.getTypeMap())) {
    if (!isObjectType(type) || isIntrospectionType(type)) continue
    for (const field of Object.values(type.getFields())) {
      const { resolve } = field
      if (!resolve) continue
      if (hasNullableEntries(field.type)) {
        field.resolve = async (parent, args, context: Context, info) => {
          try {
            const entries = await resolve(parent, args, context, info)
            return Array.isArray(entries) ? entries.map((one) => told(one, info, context)) : entries
          } catch (error) {
            if (isNonNullType(field.type)) throw error
            return nullUnlessFew(error, info, context)
          }
        }
      } else if (!isNonNullType(field.type)) {
        field.resolve = (parent, args, context: Context, info) => {
          try {
            return told(resolve(parent, args, context, info), info, context)
          } catch (error) {
            return nullUnlessFew(error, info, context)
          }
        }
      }
    }
  }
}

function hasNullableEntries(type: GraphQLOutputType): boolean {
  const list = getNullableType(type)
  return isListType(list) && !isNonNullType(list.ofType)
}

function told(value: unknown, info: GraphQLResolveInfo, context: Context): unknown {
  return value instanceof Promise
    ? value.catch((error: unknown) => nullUnlessFew(error, info, context))
    : value
}

function nullUnlessFew(error: unknown, { path }: GraphQLResolveInfo, { refusals }: Context): null {
  if (!(error instanceof GatewayError)) throw error
  let told = error.message
  for (let at: typeof path | undefined = path; at; at = at.prev)
    if (typeof at.key === 'string') told += `\n${at.key}`
  const own = refusals.add(error, told)
  if (own === null) return null
  throw own
}
