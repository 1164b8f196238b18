import {
  type GraphQLResolveInfo,
  type GraphQLSchema,
  isIntrospectionType,
  isNonNullType,
  isObjectType,
} from 'graphql'
import { FEW_TIMES, GatewayError } from '../domain/errors.ts'
import type { Context } from './context.ts'

/** What an operation refused its caller so far, by what they are told and which field of the document it is of. */
export type Refusals = Map<string, GatewayError>

/**
 * Has an answer tell once that a field is refused where a page has more than a few of it, as one of people may have
 * hundreds: the first is null with an error, which counts the others, and these are null alone.
 */
export function tellRefusalsOnce(schema: GraphQLSchema): void {
  for (const type of Object.values(schema.getTypeMap())) {
    // What the query type has is asked for field by field.
    if (!isObjectType(type) || isIntrospectionType(type) || type === schema.getQueryType()) continue
    for (const field of Object.values(type.getFields())) {
      const { resolve } = field
      if (!resolve || isNonNullType(field.type)) continue
      field.resolve = (parent, args, context: Context, info) => {
        const value = resolve(parent, args, context, info)
        return value instanceof Promise
          ? value.catch((error: unknown) => nullUnlessFew(error, info, context))
          : value
      }
    }
  }
}

function nullUnlessFew(error: unknown, { path }: GraphQLResolveInfo, { refusals }: Context): null {
  if (!(error instanceof GatewayError) || error.code !== 'FORBIDDEN') throw error
  let told = error.message
  for (let at: typeof path | undefined = path; at; at = at.prev)
    if (typeof at.key === 'string') told += `\n${at.key}`
  const first = refusals.get(told)
  if (!first) {
    refusals.set(told, error)
    throw error
  }
  first.times += 1
  if (first.times > FEW_TIMES) return null
  error.again = first
  throw error
}
