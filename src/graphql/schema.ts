import type { GraphQLSchema } from 'graphql'
import { type Builder, createBuilder } from './builder.ts'
import { defineConnections } from './connection.ts'
import type { Features } from './features.ts'
import { defineMember } from './member.ts'
import { defineOrganization } from './organization.ts'
import { definePermissions } from './permission.ts'
import { createRefs, type Refs } from './refs.ts'
import { defineScalars } from './scalars.ts'
import { defineUser } from './user.ts'

/** What a type's file adds itself to. */
export interface Graph {
  readonly builder: Builder
  readonly refs: Refs
  readonly features: Features
}

/** The graph of one database: whatever its tables can answer, in the order of concepts. */
export function createSchema(features: Features): GraphQLSchema {
  const builder = createBuilder()
  const graph = { builder, refs: createRefs(builder), features }
  builder.queryType({ description: 'The doors into the graph. Reading is all it does.' })
  defineScalars(builder)
  defineConnections(builder)
  defineUser(graph)
  if (features.organizations) {
    defineOrganization(graph)
    defineMember(graph)
    definePermissions(graph)
  }
  return builder.toSchema()
}
