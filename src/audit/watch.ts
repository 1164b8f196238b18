import {
  defaultFieldResolver,
  type GraphQLSchema,
  isObjectType,
  responsePathAsArray,
} from 'graphql'
import type { Told } from '../domain/audit.ts'
import type { Consistency, Permission, Subject } from '../domain/permission.ts'
import type { Context } from '../graph/context.ts'

/** A field, for example `Query.can`, what its resolver was given and what came of it. */
export interface Asked {
  readonly field: string
  /** A user, an organization, a membership, or what belongs to a user. */
  readonly parent: Subject & { readonly id: string }
  readonly args: Subject & {
    readonly permission: Permission
    readonly consistency: Consistency
    readonly filter?: Readonly<Partial<Record<'permission' | 'role' | 'banned', string | null>>>
    readonly representations: readonly Readonly<Record<string, unknown>>[]
  }
  readonly context: Context
  readonly value: unknown
}

/** What was told by it. */
export type Find<Found = Told> = (asked: Asked) => readonly Found[] | Promise<readonly Found[]>

/**
 * Has fields of the graph note what they tell, once they have it. Graphs of databases that lack a table lack its fields, and
 * graphs that nobody watches are as they were.
 */
export function watch(schema: GraphQLSchema, fields: Readonly<Record<string, Find>>): void {
  for (const [field, find] of Object.entries(fields)) {
    const [typeName = '', name = ''] = field.split('.')
    const type = schema.getType(typeName)
    const watched = isObjectType(type) ? type.getFields()[name] : undefined
    if (!watched) continue
    const { resolve = defaultFieldResolver } = watched
    watched.resolve = async (parent, args, context: Context, info) => {
      const value = await resolve(parent, args, context, info)
      const told = await find({ field, parent, args, context, value })
      context.trail?.note(responsePathAsArray(info.path), value == null, told)
      return value
    }
  }
}

/** What a list of the graph shows on this page. */
export function edgesOf<Entity>(value: unknown): readonly Entity[] {
  const { edges } = value as { readonly edges: readonly { readonly entity: Entity }[] }
  return edges.map(({ entity }) => entity)
}
